#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/ipc/channel.h"

namespace holdfast::ipc {
namespace {

using base::fail;
using base::fail_errno;
using base::Kind;

// Each daemon greets whoever connects, whatever it is busy with: one that does not within this time hangs.
constexpr base::Seconds kGreeting{10};

void wait_at_most(int fd, base::Seconds timeout) {
  const timeval wait{timeout.count(), 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

base::Result<base::UniqueFd> connect_to(const std::string& path, base::Seconds timeout) {
  auto address = net::SocketAddress::unix_path(path);
  if (!address) return std::unexpected(address.error());
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket", errno);
  wait_at_most(fd.get(), std::min(timeout, kGreeting));
  if (::connect(fd.get(), address->raw(), address->length()) != 0) {
    const int err = errno;
    if (err == EACCES || err == EPERM) return fail_errno(path, err);
    return fail(Kind::kUnavailable, path + ": nobody answers there");
  }
  return fd;
}

base::Status send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Kind::kUnavailable, "the daemon closed the connection");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

// Frames until one of type `wanted`; others (a hello, pushed states) are passed over.
base::Result<std::string> await(int fd, FrameReader& reader, Type wanted, base::Seconds timeout) {
  for (;;) {
    const auto frame = reader.next();
    if (!frame) return std::unexpected(frame.error());
    if (*frame) {
      if ((*frame)->type == wanted) return std::string((*frame)->body);
      if ((*frame)->type == Hello::kType) wait_at_most(fd, timeout);
      continue;
    }
    char chunk[65536];
    const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return fail(Kind::kUnavailable, "no answer in time");
    if (n < 0) return fail_errno("read", errno);
    if (n == 0) return fail(Kind::kUnavailable, "the daemon closed the connection");
    reader.receive({chunk, static_cast<std::size_t>(n)});
  }
}

}  // namespace

ControlReply refused_command() {
  return {base::exit_code(Kind::kPermission), "", "only root may give commands to daemons that root has started"};
}

base::Result<ControlReply> ask(const std::string& path, const Control& question, base::Seconds timeout) {
  auto fd = connect_to(path, timeout);
  if (!fd) return std::unexpected(fd.error());
  Hello hello;
  hello.name = "gatewayctl";
  hello.pid = static_cast<std::uint32_t>(::getpid());
  std::string out;
  append_frame(out, Hello::kType, base::encode(hello));
  append_frame(out, Control::kType, base::encode(question));
  if (auto sent = send_all(fd->get(), out); !sent) return std::unexpected(sent.error());
  FrameReader reader;
  const auto body = await(fd->get(), reader, ControlReply::kType, timeout);
  if (!body) return std::unexpected(body.error());
  auto reply = base::decode<ControlReply>(*body);
  if (!reply) return fail(Kind::kData, "an answer that cannot be understood");
  return std::move(*reply);
}

}  // namespace holdfast::ipc
