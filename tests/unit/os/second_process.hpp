// The helper program as a second process, with lines to read and an input to end. Knows nothing of the code under test.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace venvoy::test {

class SecondProcess {
 public:
  explicit SecondProcess(const std::vector<std::string>& arguments);
  // Kills it if it still runs.
  ~SecondProcess();
  SecondProcess(const SecondProcess&) = delete;
  SecondProcess& operator=(const SecondProcess&) = delete;

  pid_t pid() const noexcept { return pid_; }
  // Without the end of line; "" at the end.
  std::string read_line();
  void end_input();
  void kill();
  // The status of wait(2).
  int wait();

 private:
  pid_t pid_ = 0;
  int input_ = -1, output_ = -1;
};

// Runs it to its end; its exit code.
int run_helper(const std::vector<std::string>& arguments);

// False for a zombie.
bool is_running(pid_t pid);
// 0 if it is gone.
pid_t parent_of(pid_t pid);
// Waits, in small steps and not for ever; false if it never became true.
bool eventually(const std::function<bool()>& condition);

// What `work` throws when it runs without the rights of root, in a process of its own; "" if nothing.
std::string unprivileged(const std::function<void()>& work);
// A folder and all in it, handed to that user.
void give_to_unprivileged(const std::string& path);

}  // namespace venvoy::test
