// Threads that leave a host's signals to the host's threads.
#pragma once

#include <csignal>
#include <cstddef>

#include <boost/asio/thread_pool.hpp>

namespace venvoy::api::internal {

// Blocks all signals for the calling thread, and so for the threads that it starts meanwhile.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

inline boost::asio::thread_pool quiet_pool(std::size_t threads) {
  const SignalsBlocked blocked;
  return boost::asio::thread_pool(threads);
}

}  // namespace venvoy::api::internal
