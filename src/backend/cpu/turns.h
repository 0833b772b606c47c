// SPDX-License-Identifier: Apache-2.0
// Whose turn it is on a core set. Threads that wait are served by the time they have used so far, least first, so a
// model of short steps waits for one step of a busy neighbour at most; who was away gains no credit from it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace narae::cpu {

class Turns {
 public:
  void enter();  // blocks until it is this thread's turn
  void leave();
  size_t waiting() const;

 private:
  struct Party {
    std::thread::id thread;
    double used = 0;  // seconds
    bool waits = false;
  };
  size_t party_of(std::thread::id thread);
  void start(size_t party);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Party> parties_;
  bool busy_ = false;
  std::thread::id owner_;
  double began_ = 0;
  double served_ = 0;  // what the one in service had used when it began
};

}  // namespace narae::cpu
