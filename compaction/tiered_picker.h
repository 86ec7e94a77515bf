// compaction/tiered_picker.h: the picker of the hashed layout: every segment stays on level 0, and
// runs of segments that follow one another in age and are of one size are merged into one.
//
// The tier of a segment follows from its size alone: tier t holds sizes in
// (flush_size * fan_in^(t-1), flush_size * fan_in^t]; smaller ones have negative tiers, down to
// kSmallestTier. A run is segments that follow one another in age, held by no running merge, none above
// tier t and the newest of them of tier t. It is due when it has `fan_in` segments, of which half are
// of tier t: then all of them are merged (smaller ones in between come along for little). Lower
// tiers come first. A run is cut where it would come to more than `merge_bytes_max` bytes or
// `merge_blocks_max` blocks; one that was cut is due with half of fan_in already, for it can never have
// more, or when the others have half the bytes of its largest; the result is final.
//
// Settled segments (final ones, over half of what a merge may take in, and all that are older than one)
// meet no tombstone by such merges. So one of them is rewritten by itself when nothing else is due and
// a fourth of its entries are dead, as far as numbers in the manifest tell: tombstones in newer settled
// segments, which hit all older entries alike, and its own, once all older segments have been rewritten
// since it was made. File numbers say what was made when: a segment with a greater number than another
// one's had a chance to see it.
// Tombstones that a snapshot holds back do not count. Entries that were overwritten are not counted, but
// go with the rest; where only overwriting makes garbage, Compact() takes it away.
//
// So a record is rewritten about once a tier; there are fewer than fan_in segments a tier, and about
// log_fan_in(data / flush) tiers, while flushes are of similar sizes (and data / merge_bytes_max final
// segments, more where blocks are small); whatever they are, a run that has 4 * fan_in segments is merged. Merges of different tiers run beside each other: they
// hold different segments, and write to level 0, where ages, not ranges, decide.
#ifndef FIRN_COMPACTION_TIERED_PICKER_H_
#define FIRN_COMPACTION_TIERED_PICKER_H_

#include <cstddef>
#include <cstdint>

#include "compaction/levels.h"
#include "compaction/picker.h"

namespace firn {

// The functions are those of Picker.
Compaction PickTiered(const Levels& levels, const PickerOptions& options,
                      RunningCompactions running);
// The segments of the fullest run against fan_in; 1 at least if a settled one is to be rewritten.
double TieredScore(const Levels& levels, const PickerOptions& options);
// The bytes of the runs that are due.
uint64_t TieredDebt(const Levels& levels, const PickerOptions& options);
// The segments of the fullest run: up to fan_in is as it should be.
size_t TieredBacklog(const Levels& levels, const PickerOptions& options);
// Merges all there is, whatever the range (keys have no neighbours): only so nothing older is left
// behind, and tombstones go with what they hide, in final segments too. The job cuts its output
// between two inputs, at merge_bytes_max and where places run out. Needs as much room as there is.
RangePick PickTieredRange(const Levels& levels, const UserKeyRange& range, LevelIndex source_level,
                          const PickerOptions& options, RunningCompactions running);

// The rewriting of the oldest settled segment that is due for it; kNothing if none is.
Compaction PickReclaim(const Levels& levels, const PickerOptions& options,
                       RunningCompactions running);

inline constexpr Picker kTieredPicker = {.pick = PickTiered,
                                         .score = TieredScore,
                                         .debt = TieredDebt,
                                         .backlog = TieredBacklog,
                                         .pick_range = PickTieredRange};

inline constexpr int kSmallestTier = -5;
int TierOf(uint64_t size, const PickerOptions& options);

}  // namespace firn

#endif  // FIRN_COMPACTION_TIERED_PICKER_H_
