// Kills a process at its n-th system call from now on, whichever of its threads makes it.
//
//   nthcall PID N            N = 0: only count
//   nthcall --child PID N    the next process that PID starts, from its first call as a program of its own
//
// Says `ready` when all threads are held by it and run on. Then, when the n-th call is about to begin, kills the
// process with SIGKILL before the call does anything and says `killed N CALL`; told to end by SIGTERM before that,
// it lets go of the process and says `counted COUNT`; `gone COUNT` when the process ended by itself.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE;
constexpr long kChildOptions = kOptions | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
constexpr int kSyscallStop = SIGTRAP | 0x80;

struct Watch {
  pid_t process = 0;  // whose calls count; 0: not begun yet
  bool child = false;
  std::uint64_t last = 0, count = 0;
  std::set<pid_t> held;  // threads of the process named
};

// Threads may be made while we look, so it looks until there is none that is not held.
bool hold_all(Watch& watch, pid_t process) {
  const std::string folder = "/proc/" + std::to_string(process) + "/task";
  for (bool found = true; found;) {
    found = false;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const pid_t thread = std::atoi(entry.path().filename().c_str());
      if (watch.held.contains(thread)) continue;
      if (::ptrace(PTRACE_SEIZE, thread, nullptr, watch.child ? kChildOptions : kOptions) != 0) return false;
      ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
      watch.held.insert(thread);
      found = true;
    }
    if (error) return false;
  }
  return true;
}

// The number of the call that a thread is about to begin, -1 when it has just done one.
long call_begun(pid_t thread) {
  __ptrace_syscall_info info{};
  const long size = ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
  return size > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY ? static_cast<long>(info.entry.nr) : -1;
}

bool counts(const Watch& watch, pid_t thread) {
  return watch.process != 0 && (!watch.child || !watch.held.contains(thread));
}

void go_on(pid_t thread, int number = 0) {
  ::ptrace(PTRACE_SYSCALL, thread, nullptr, reinterpret_cast<void*>(static_cast<std::intptr_t>(number)));
}

// True when that was the call to die at.
bool at_call(Watch& watch, pid_t thread) {
  const long call = call_begun(thread);
  if (call >= 0 && counts(watch, thread) && ++watch.count == watch.last) {
    ::kill(watch.process, SIGKILL);
    std::printf("killed %llu %ld\n", static_cast<unsigned long long>(watch.count), call);
    return true;
  }
  go_on(thread);
  return false;
}

// Deals with all threads that have stopped; false when there is nothing more to do.
bool handle_stops(Watch& watch) {
  for (;;) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL | WNOHANG);
    if (thread == 0) return true;
    if (thread < 0) {
      std::printf("gone %llu\n", static_cast<unsigned long long>(watch.count));
      return false;
    }
    if (!WIFSTOPPED(status)) {
      if (thread != watch.process) continue;
      std::printf("gone %llu\n", static_cast<unsigned long long>(watch.count));
      return false;
    }
    const int number = WSTOPSIG(status);
    if (number == kSyscallStop) {
      if (at_call(watch, thread)) return false;
    } else {
      const int event = status >> 16;  // seized, interrupted, a new thread or process
      if (event == PTRACE_EVENT_EXEC && watch.process == 0) watch.process = thread;
      go_on(thread, event != 0 ? 0 : number);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool child = argc == 4 && std::string_view(argv[1]) == "--child";
  if (argc != 3 && !child) {
    std::fprintf(stderr, "usage: nthcall [--child] PID N\n");
    return 64;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  const pid_t named = std::atoi(argv[argc - 2]);
  Watch watch{.process = child ? 0 : named, .child = child, .last = std::strtoull(argv[argc - 1], nullptr, 10), .held = {}};
  if (!hold_all(watch, named)) {
    std::perror("ptrace");
    return 71;
  }
  std::printf("ready\n");
  while (handle_stops(watch)) {
    siginfo_t info{};
    if (::sigwaitinfo(&wanted, &info) == SIGTERM) {
      std::printf("counted %llu\n", static_cast<unsigned long long>(watch.count));
      return 0;  // the kernel lets go of all that we hold
    }
  }
  return 0;
}
