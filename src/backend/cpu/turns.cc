// SPDX-License-Identifier: Apache-2.0
// Start-time fair queueing: Goyal, Vin, Cheng, SIGCOMM 1996, with measured times and equal weights.
#include "backend/cpu/turns.h"

#include <algorithm>

#include "base/clock.h"

namespace narae::cpu {

size_t Turns::party_of(std::thread::id thread) {
  for (size_t i = 0; i < parties_.size(); ++i) {
    if (parties_[i].thread == thread) return i;
  }
  // Those that would begin at served_ again anyway need not be remembered.
  std::erase_if(parties_, [&](const Party& party) { return !party.waits && party.used <= served_; });
  parties_.push_back({thread, served_, false});
  return parties_.size() - 1;
}

void Turns::start(size_t party) {
  busy_ = true;
  owner_ = parties_[party].thread;
  served_ = parties_[party].used;
  parties_[party].waits = false;
  began_ = now_seconds();
}

void Turns::enter() {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::thread::id self = std::this_thread::get_id();
  const size_t party = party_of(self);
  parties_[party].used = std::max(parties_[party].used, served_);
  if (!busy_) return start(party);
  parties_[party].waits = true;
  changed_.wait(lock, [&] { return owner_ == self; });
}

void Turns::leave() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    parties_[party_of(owner_)].used += now_seconds() - began_;
    busy_ = false;
    owner_ = {};
    size_t next = parties_.size();
    for (size_t i = 0; i < parties_.size(); ++i) {
      if (parties_[i].waits && (next == parties_.size() || parties_[i].used < parties_[next].used)) next = i;
    }
    if (next == parties_.size()) return;
    start(next);
  }
  changed_.notify_all();
}

size_t Turns::waiting() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<size_t>(std::count_if(parties_.begin(), parties_.end(), [](const Party& p) { return p.waits; }));
}

}  // namespace narae::cpu
