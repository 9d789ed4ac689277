#include "master/spawn.h"

#include <csignal>
#include <filesystem>

#include <spawn.h>
#include <unistd.h>

namespace holdfast::master {
namespace {

class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&raw_); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&raw_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  // dup2 of a descriptor to itself takes its close-on-exec away in the child (POSIX issue 8, glibc 2.29).
  int keep(int fd) { return ::posix_spawn_file_actions_adddup2(&raw_, fd, fd); }
  const posix_spawn_file_actions_t* raw() const { return &raw_; }

 private:
  posix_spawn_file_actions_t raw_{};
};

class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&raw_);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&raw_, &all);
    ::posix_spawnattr_setsigmask(&raw_, &none);
    ::posix_spawnattr_setflags(&raw_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&raw_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  const posix_spawnattr_t* raw() const { return &raw_; }

 private:
  posix_spawnattr_t raw_{};
};

}  // namespace

base::Result<std::string> program_folder() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return base::fail_errno("/proc/self/exe", error.value());
  return path.parent_path().string();
}

base::Result<pid_t> spawn(const std::string& program, const std::vector<std::string>& arguments,
                          const std::vector<int>& inherited) {
  Actions actions;
  for (const int fd : inherited) {
    if (const int error = actions.keep(fd); error != 0) return base::fail_errno("descriptor for " + program, error);
  }
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const Attributes attributes;
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), actions.raw(), attributes.raw(), argv.data(), environ);
  if (error != 0) return base::fail_errno(program, error);
  return pid;
}

}  // namespace holdfast::master
