#include "gatewayctl/sink_server.h"

#include <cerrno>
#include <csignal>
#include <cstdio>

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"

namespace holdfast::gatewayctl::sink {
namespace {

constexpr std::size_t kMaxWords = 4096;

void say(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

base::Result<net::SocketAddress> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : base::to_number(std::string_view(text).substr(colon + 1));
  if (!port || *port > 65535)
    return base::fail(base::Kind::kUsage, fmt::format("--listen {}: ADDRESS:PORT is wanted", text));
  std::string_view host = std::string_view(text).substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return net::SocketAddress::ip(host, static_cast<std::uint16_t>(*port));
}

base::Result<net::SocketAddress> bound_address(int fd) {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &length) != 0) return base::fail_errno("getsockname", errno);
  return net::SocketAddress(reinterpret_cast<const sockaddr*>(&raw), length);
}

// Words can come from a pipe, a socket or a terminal; there is nothing to wait for in a file or /dev/null.
bool can_be_watched(int fd) {
  struct stat what {};
  return ::fstat(fd, &what) == 0 && (S_ISFIFO(what.st_mode) || S_ISSOCK(what.st_mode) || ::isatty(fd) == 1);
}

// The lines that are there whole, given to `each`. False when what is left can be no line.
template <class Each>
bool take_lines(std::string& pending, Each each) {
  for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
    const std::string line(base::trim(std::string_view(pending).substr(0, end)));
    pending.erase(0, end + 1);
    if (!line.empty()) each(line);
  }
  return pending.size() <= kMaxWords;
}

}  // namespace

Console::Console(Server& server, net::Loop& loop, base::UniqueFd fd, std::function<void()> ended)
    : server_(server), ended_(std::move(ended)), stream_(loop, std::move(fd), *this) {}

void Console::on_data(std::string_view bytes) {
  pending_ += bytes;
  const bool sane = take_lines(pending_, [this](const std::string& line) { stream_.write(server_.obey(line) + "\n"); });
  stream_.flush();
  if (sane) return;
  stream_.close();
  ended_();
}

Server::Server(Options options) : options_(std::move(options)), store_(options_.store) {}

Server::~Server() {
  control_.reset();
  if (!options_.control.empty()) ::unlink(options_.control.c_str());
}

base::Status Server::start() {
  for (const auto& words : options_.rules) {
    auto rule = parse_rule(words);
    if (!rule) return std::unexpected(rule.error());
    rules_.add(*std::move(rule));
  }
  for (const auto& text : options_.listen) {
    auto address = parse_listen(text);
    if (!address) return std::unexpected(address.error());
    addresses_.push_back(*address);
  }
  if (auto status = store_.prepare(); !status) return status;
  if (auto status = listen(); !status) return status;
  return listen_for_control();
}

void Server::serve() {
  for (const int number : {SIGTERM, SIGINT}) {
    signals_.push_back(std::make_unique<net::Signal>(loop_, number, [this] { loop_.stop(); }));
  }
  signals_.push_back(std::make_unique<net::Signal>(loop_, SIGUSR1, [this] { print_counts(); }));
  signals_.push_back(std::make_unique<net::Signal>(loop_, SIGUSR2, [this] { toggle(); }));
  read_standard_input();
  for (const auto& address : addresses_) say(fmt::format("listening on {}", address.text()));
  loop_.run();
  print_counts();
}

base::Status Server::listen() {
  for (auto& address : addresses_) {
    auto fd = net::listen_on(address);
    if (!fd) {
      listeners_.clear();
      return std::unexpected(fd.error());
    }
    auto bound = bound_address(fd->get());
    if (!bound) return std::unexpected(bound.error());
    address = *bound;
    listeners_.push_back(std::make_unique<net::Listener>(
        loop_, *std::move(fd),
        [this](base::UniqueFd client, const net::SocketAddress& peer) { accepted(std::move(client), peer); }));
  }
  return {};
}

base::Status Server::listen_for_control() {
  if (options_.control.empty()) return {};
  const auto address = net::SocketAddress::unix_path(options_.control);
  if (!address) return std::unexpected(address.error());
  auto fd = net::listen_on(*address);
  if (!fd) return std::unexpected(fd.error());
  control_ = std::make_unique<net::Listener>(
      loop_, *std::move(fd),
      [this](base::UniqueFd client, const net::SocketAddress&) { control_accepted(std::move(client)); });
  return {};
}

// As a server that dies: its connections go with it.
void Server::unlisten() {
  listeners_.clear();
  for (auto& session : sessions_) {
    session->cut();
    loop_.bury(std::move(session));
  }
  sessions_.clear();
}

void Server::toggle() { say(obey(listeners_.empty() ? "up" : "down")); }

std::string Server::obey(std::string_view words) {
  if (words == "counts") return store_.counts.text(options_.store.json);
  if (words == "reset") {
    rules_.clear();
    return "ok";
  }
  if (words == "down") {
    unlisten();
    return "ok: down, connections are refused";
  }
  if (words == "up") {
    const auto status = listeners_.empty() ? listen() : base::Status{};
    return status ? "ok: up" : "error: " + status.error().text;
  }
  if (words == "quit") {
    loop_.stop();
    return "ok";
  }
  auto rule = parse_rule(words);
  if (!rule) return "error: " + rule.error().text;
  rules_.add(*std::move(rule));
  return "ok";
}

void Server::read_standard_input() {
  if (!can_be_watched(STDIN_FILENO)) return;
  std::signal(SIGTTIN, SIG_IGN);  // in the background of a terminal: read() fails instead
  input_ = std::make_unique<net::Watch>(loop_, STDIN_FILENO, net::Watch::For::kRead, [this] {
    char chunk[1024];
    const ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (n > 0) input_pending_.append(chunk, static_cast<std::size_t>(n));
    const bool sane = take_lines(input_pending_, [this](const std::string& line) { say(obey(line)); });
    if (n <= 0 || !sane) input_->off();
  });
  input_->on();
}

void Server::accepted(base::UniqueFd fd, const net::SocketAddress& peer) {
  ++store_.counts.connections;
  const auto place = sessions_.emplace(sessions_.end());
  *place = std::make_unique<Session>(loop_, std::move(fd), peer, options_.smtp, rules_, store_, [this, place] {
    loop_.bury(std::move(*place));
    sessions_.erase(place);
  });
  (*place)->start();
}

void Server::control_accepted(base::UniqueFd fd) {
  const auto place = consoles_.emplace(consoles_.end());
  *place = std::make_unique<Console>(*this, loop_, std::move(fd), [this, place] {
    loop_.bury(std::move(*place));
    consoles_.erase(place);
  });
}

void Server::print_counts() const { say(store_.counts.text(options_.store.json)); }

}  // namespace holdfast::gatewayctl::sink
