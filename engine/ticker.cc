#include "engine/ticker.h"

#include <utility>

namespace firn {

Ticker::Ticker(std::chrono::microseconds period, std::function<void()> tick)
    : period_(period), tick_(std::move(tick)), thread_([this] { Run(); }) {}

Ticker::~Ticker() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stop_.NotifyAll();
  }
  thread_.join();
}

void Ticker::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      // Woken without cause it ticks early, which harms nobody: ticks look at the clock.
      if (!stopping_) stop_.WaitFor(mutex_, period_);
      if (stopping_) return;
    }
    tick_();
  }
}

}  // namespace firn
