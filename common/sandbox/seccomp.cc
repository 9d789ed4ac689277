#include "common/sandbox/seccomp.h"

#include <cerrno>
#include <memory>

#include <fmt/core.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::sandbox {
namespace {

// What an event loop, three databases and TLS need. Order does not matter: the filter is a tree.
constexpr int kAllowed[]{
    // memory
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(msync), SCMP_SYS(mincore), SCMP_SYS(membarrier),
    // bytes
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2), SCMP_SYS(lseek), SCMP_SYS(close),
    SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl), SCMP_SYS(flock),
    SCMP_SYS(copy_file_range), SCMP_SYS(sendfile), SCMP_SYS(fadvise64), SCMP_SYS(readahead),
    // files
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
    SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(truncate), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(chmod),
    SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(umask), SCMP_SYS(utimensat),
    // sockets; socket() itself is further below
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(shutdown),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(sendto),
    SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg),
    // waiting
    SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(eventfd),
    SCMP_SYS(eventfd2), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(pause),
    // signals and threads; clone() itself is further below
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigsuspend), SCMP_SYS(sigaltstack), SCMP_SYS(futex), SCMP_SYS(futex_waitv),
    SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(exit), SCMP_SYS(exit_group),
    // what there is
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(times),
    SCMP_SYS(getrandom), SCMP_SYS(time), SCMP_SYS(gettimeofday), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
};

// Nobody calls these by mistake: who does is not us any more.
constexpr int kDeadly[]{
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(mount), SCMP_SYS(umount2),
    SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount),
    SCMP_SYS(fsconfig), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(userfaultfd), SCMP_SYS(open_by_handle_at),
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
    SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(capset), SCMP_SYS(mknod), SCMP_SYS(mknodat),
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
    SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(ioperm), SCMP_SYS(iopl), SCMP_SYS(quotactl), SCMP_SYS(syslog),
};

class Filter {
 public:
  explicit Filter(std::uint32_t otherwise) : context_(::seccomp_init(otherwise), ::seccomp_release) {
    attribute(SCMP_FLTATR_CTL_TSYNC, 1);
  }

  // The first fault stays: one rule less is another filter.
  template <class... Conditions>
  void rule(std::uint32_t action, int call, Conditions... conditions) {
    note(::seccomp_rule_add(context_.get(), action, call, sizeof...(conditions), conditions...));
  }
  void attribute(scmp_filter_attr name, std::uint32_t value) { note(::seccomp_attr_set(context_.get(), name, value)); }

  base::Status load() {
    if (context_ == nullptr) return base::fail(base::Kind::kUnavailable, "seccomp: no memory for the filter");
    if (fault_ == 0) fault_ = ::seccomp_load(context_.get());
    if (fault_ == 0) return {};
    return base::fail(base::Kind::kUnavailable, fmt::format("seccomp: {}", base::fail_errno("filter", -fault_).error().text));
  }

 private:
  void note(int result) {
    if (fault_ == 0 && result < 0) fault_ = result;
  }

  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
  int fault_ = 0;
};

// libseccomp's macros for these are compound literals, which C++ does not have.
scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void allow_sockets(Filter& filter, const Rights& rights) {
  const auto family = [](int domain) { return equals(0, static_cast<scmp_datum_t>(domain)); };
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(socket), family(AF_UNIX));
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(socketpair), family(AF_UNIX));
  if (!rights.network) return;
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(socket), family(AF_INET));
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(socket), family(AF_INET6));
  // getifaddrs() and getaddrinfo(): which addresses there are.
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(socket), family(AF_NETLINK), equals(2, NETLINK_ROUTE));
}

// Threads, not processes.
void allow_threads(Filter& filter) {
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(clone3));  // but see refuse_quietly()
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(clone), masked(0, CLONE_THREAD, CLONE_THREAD));
  filter.rule(SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), masked(0, CLONE_THREAD, 0));
}

// Calls that are harmless to oneself only, and those that have many meanings.
void allow_some(Filter& filter) {
  const auto self = static_cast<scmp_datum_t>(::getpid());
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), equals(0, self));  // abort()
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(kill), equals(0, self));
  for (const scmp_datum_t pid : {scmp_datum_t{0}, self}) {
    filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), equals(0, pid), equals(2, 0));
  }
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(prctl), equals(0, PR_SET_NAME));
  for (const scmp_datum_t what : {scmp_datum_t{FIONBIO}, scmp_datum_t{FIONREAD}, scmp_datum_t{TCGETS}}) {
    filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), equals(1, what));
  }
}

// clone3: its flags lie behind a pointer, and its ENOSYS makes libc use clone(). libc tries it for each thread: a filter of
// its own keeps that out of the kernel's log. So it is with connect(), which libc and libraries try to speak to syslog.
base::Status refuse_quietly(const Rights& rights) {
  Filter filter(SCMP_ACT_ALLOW);
  filter.rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  if (rights.alone) filter.rule(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(connect));
  return filter.load();
}

}  // namespace

base::Status filter_calls(const Rights& rights) {
  if (auto loaded = refuse_quietly(rights); !loaded) return loaded;
  Filter filter(SCMP_ACT_ERRNO(ENOSYS));
  filter.attribute(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  filter.attribute(SCMP_FLTATR_CTL_LOG, 1);
  filter.attribute(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const int call : kAllowed) filter.rule(SCMP_ACT_ALLOW, call);
  for (const int call : kDeadly) filter.rule(SCMP_ACT_KILL_PROCESS, call);
  allow_sockets(filter, rights);
  allow_threads(filter);
  allow_some(filter);
  return filter.load();
}

}  // namespace holdfast::sandbox
