// bench/machine.h: what a report says of the machine: never its name.
#ifndef FIRN_BENCH_MACHINE_H_
#define FIRN_BENCH_MACHINE_H_

#include <string>

#include "bench/metrics.h"

namespace firn::bench {

// Processor, memory, kernel, and the disk and file system below `folder`.
Json MachineFacts(const std::string& folder);

}  // namespace firn::bench

#endif  // FIRN_BENCH_MACHINE_H_
