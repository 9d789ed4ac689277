#include "common/daemon/life_line.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

#include "common/base/panic.h"

namespace holdfast::daemon {
namespace {

constexpr char kListen = 'L', kFiles = 'F';

// Room for the descriptors of one message, aligned as the kernel wants it.
struct ControlBuffer {
  alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int) * kMostListeners)]{};
};

std::vector<base::UniqueFd> take_descriptors(msghdr& message) {
  std::vector<base::UniqueFd> out;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
  return out;
}

base::Status send(int line, char kind, const std::vector<int>& fds) {
  ControlBuffer control;
  iovec text{&kind, 1};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(c), fds.data(), sizeof(int) * fds.size());
  }
  if (::sendmsg(line, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) return {};
  if (errno == EAGAIN || errno == ENOBUFS) return base::fail(base::Kind::kTemporary, "the daemon does not read its line");
  return base::fail_errno("life line", errno);
}

}  // namespace

base::Status send_listeners(int line, const std::vector<int>& fds) {
  base::expect(fds.size() <= kMostListeners, "too many listeners for one message");
  return send(line, kListen, fds);
}

base::Status send_files(int line, int fd) { return send(line, kFiles, {fd}); }

LifeNews read_life_line(int line) {
  ControlBuffer control;
  char kind = 0;
  iovec text{&kind, 1};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  const ssize_t n = ::recvmsg(line, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (n != 1) return {LifeNews::What::kGone, {}};
  auto fds = take_descriptors(message);
  if (kind == kListen) return {LifeNews::What::kListeners, std::move(fds)};
  if (kind == kFiles && fds.size() == 1) return {LifeNews::What::kFiles, std::move(fds)};
  return {};
}

}  // namespace holdfast::daemon
