// engine/ticker.h: a thread that calls a function at regular times, for what happens although nobody
// calls the database: the timed merge, the look for readers that have been open for long.
#ifndef FIRN_ENGINE_TICKER_H_
#define FIRN_ENGINE_TICKER_H_

#include <chrono>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace firn {

class Ticker {
 public:
  // Calls `tick` each `period` on a thread of its own, from one period after now on.
  Ticker(std::chrono::microseconds period, std::function<void()> tick);
  // Waits for a call in progress; none comes later. Not from within `tick`.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::chrono::microseconds period_;
  const std::function<void()> tick_;
  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace firn

#endif  // FIRN_ENGINE_TICKER_H_
