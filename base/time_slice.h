// base/time_slice.h: how long a thread that computes may keep a processor from one that has just been woken.
#ifndef FIRN_BASE_TIME_SLICE_H_
#define FIRN_BASE_TIME_SLICE_H_

namespace firn {

// For threads that work in the background of others: the calling thread asks the system for long slices
// of time. It gets as much of the processors as before, but whoever wakes up and has ordinary slices
// (a writer whose sync is through) runs at once, and not when the slice is over: Linux 6.12 and later.
// Older systems go by their ordinary rules, and so it is no error if they refuse.
void AskForLongSlices();

}  // namespace firn

#endif  // FIRN_BASE_TIME_SLICE_H_
