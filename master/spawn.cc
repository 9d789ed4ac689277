#include "master/spawn.h"

#include <cerrno>
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"

namespace holdfast::master {
namespace {

// For the child between fork and exec: nothing but system calls.
void reset_signals() noexcept {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int keep(const std::vector<int>& fds) noexcept {
  for (const int fd : fds) {
    if (::fcntl(fd, F_SETFD, 0) != 0) return errno;
  }
  return 0;
}

// Does not come back: exec, or its errno into `trouble`.
[[noreturn]] void become(const std::vector<char*>& argv, const std::vector<int>& inherited, const sandbox::Identity* identity,
                         int trouble) noexcept {
  reset_signals();
  int error = keep(inherited);
  if (error == 0) error = sandbox::give_up_privileges(identity);
  if (error == 0) {
    ::execve(argv.front(), argv.data(), environ);
    error = errno;
  }
  (void)!::write(trouble, &error, sizeof error);
  ::_exit(127);
}

// 0: it has become the program. The pipe ends with exec.
int trouble_of(int pipe) {
  int error = 0;
  ssize_t n = 0;
  do n = ::read(pipe, &error, sizeof error);
  while (n < 0 && errno == EINTR);
  return n == sizeof error ? error : 0;
}

}  // namespace

base::Result<std::string> program_folder() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return base::fail_errno("/proc/self/exe", error.value());
  return path.parent_path().string();
}

base::Result<pid_t> spawn(const std::string& program, const std::vector<std::string>& arguments,
                          const std::vector<int>& inherited, const sandbox::Identity* identity) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno("pipe", errno);
  base::UniqueFd ours(ends[0]), theirs(ends[1]);
  // No handler of ours may run in the child: it would write into our loop.
  sigset_t all, before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) become(argv, inherited, identity, theirs.get());
  const int fork_error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return base::fail_errno(program, fork_error);
  theirs.reset();
  if (const int error = trouble_of(ours.get()); error != 0) {
    ::waitpid(pid, nullptr, 0);
    return base::fail_errno(program, error);
  }
  return pid;
}

}  // namespace holdfast::master
