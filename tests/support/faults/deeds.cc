// Preloaded into a gateway: on SIGUSR2 the process makes one system call that a test has written into shared memory,
// as somebody would who has taken the process over. tests/support/deeds.py holds the other end: a file, named by
// HOLDFAST_DEEDS, with one Deed.
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr std::uint32_t kTexts = 2;

struct Deed {
  std::int64_t number;       // of the call, see kCalls; less than kCalls: one of these; else itself
  std::int64_t arguments[6];
  std::int64_t result;
  std::int32_t error;
  std::uint32_t done;
  std::uint32_t is_text;     // a bit an argument: it is the number of a text, of which the call gets the address
  char texts[kTexts][512];
};

constexpr long kCalls[]{SYS_openat,  SYS_execve, SYS_ptrace, SYS_socket,   SYS_connect, SYS_bind,   SYS_kill, SYS_unlinkat,
                        SYS_mkdirat, SYS_setuid, SYS_mount,  SYS_renameat, SYS_clone,   SYS_tgkill, SYS_close, SYS_process_vm_readv};

Deed* deed = nullptr;

void act(int) {
  const int before = errno;
  long value[6];
  for (int i = 0; i < 6; ++i) {
    const bool text = (deed->is_text >> i & 1) != 0;
    value[i] = text ? reinterpret_cast<long>(deed->texts[deed->arguments[i]]) : deed->arguments[i];
  }
  const long number = deed->number < static_cast<long>(sizeof kCalls / sizeof *kCalls) ? kCalls[deed->number] : deed->number;
  const long result = ::syscall(number, value[0], value[1], value[2], value[3], value[4], value[5]);
  deed->error = result < 0 ? errno : 0;
  deed->result = result;
  __atomic_store_n(&deed->done, 1, __ATOMIC_RELEASE);
  errno = before;
}

__attribute__((constructor)) void prepare() {
  const char* path = std::getenv("HOLDFAST_DEEDS");
  const int fd = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* at = ::mmap(nullptr, sizeof(Deed), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at == MAP_FAILED) return;
  deed = static_cast<Deed*>(at);
  struct sigaction action {};
  action.sa_handler = act;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR2, &action, nullptr);
}

}  // namespace
