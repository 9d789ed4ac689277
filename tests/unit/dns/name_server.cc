#include "tests/unit/dns/name_server.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::dns {
namespace {

base::UniqueFd bound() {
  base::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto any = net::SocketAddress::ip("127.0.0.1", 0);
  if (::bind(fd.get(), any->raw(), any->length()) != 0) throw std::runtime_error("bind");
  return fd;
}

net::SocketAddress address_of(const base::UniqueFd& fd) {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&raw), &length);
  return {reinterpret_cast<const sockaddr*>(&raw), length};
}

void write_file(const std::string& path, const std::string& text) {
  const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!base::write_all(fd.get(), text)) throw std::runtime_error(path);
}

std::string made_folder() {
  std::string name = "/tmp/hf-dns-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

constexpr std::string_view kZone = R"($ORIGIN mail.test.
$TTL 300
@ IN SOA ns.mail.test. admin.mail.test. 1 3600 600 86400 300
@ IN NS ns.mail.test.
ns IN A 127.0.0.1
)";

constexpr std::string_view kConfig = R"(server:
  ip-address: 127.0.0.1@{1}
  username: ""
  zonesdir: "{0}"
  database: ""
  logfile: "{0}/log"
  pidfile: "{0}/pid"
  xfrdfile: "{0}/xfrd"
  zonelistfile: "{0}/zones"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: mail.test
  zonefile: mail.test.zone
)";

}  // namespace

NameServer::NameServer(std::string_view records) : folder_(made_folder()), address_(address_of(bound())) {
  write_file(folder_ + "/mail.test.zone", std::string(kZone).append(records));
  // The port is free for UDP; somebody else may have it for TCP, or take it meanwhile.
  for (int i = 0; i < 10; ++i, address_ = address_of(bound())) {
    if (start()) return;
  }
  throw std::runtime_error("nsd ended: has tools/unpack-peers run?");
}

bool NameServer::start() {
  write_file(folder_ + "/nsd.conf", fmt::format(kConfig, folder_, address_.port()));
  pid_ = ::fork();
  if (pid_ == 0) {
    const std::string config = folder_ + "/nsd.conf", unpacked = HOLDFAST_PEERS "/usr/sbin/nsd";
    ::setenv("LD_LIBRARY_PATH", HOLDFAST_PEERS "/usr/lib/x86_64-linux-gnu", 1);
    ::execl(unpacked.c_str(), "nsd", "-d", "-c", config.c_str(), nullptr);
    ::execl("/usr/sbin/nsd", "nsd", "-d", "-c", config.c_str(), nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 100 && !answers(); ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) continue;
    pid_ = -1;
    return false;
  }
  return true;
}

// Asks for the SOA of mail.test, and waits 100 ms for an answer.
bool NameServer::answers() const {
  using namespace std::string_view_literals;
  const auto question = "\x12\x34\0\0\0\1\0\0\0\0\0\0\4mail\4test\0\0\6\0\1"sv;
  const base::UniqueFd fd = bound();
  ::sendto(fd.get(), question.data(), question.size(), 0, address_.raw(), address_.length());
  pollfd poll{fd.get(), POLLIN, 0};
  return ::poll(&poll, 1, 100) == 1;
}

void NameServer::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

NameServer::~NameServer() {
  stop();
  std::filesystem::remove_all(folder_);
}

SilentServer::SilentServer() : fd_(bound()) {}

net::SocketAddress SilentServer::address() const { return address_of(fd_); }

}  // namespace holdfast::dns
