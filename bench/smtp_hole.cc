// smtp-hole: a server that takes all mail and forgets it, for measurements: thousands of connections cost it no more
// than one does. It can be made bad: to be silent from a stage on, or slow at each. bench/README.md.
#include <list>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "common/net/address.h"
#include "common/net/loop.h"
#include "common/net/stream.h"
#include "common/smtp/server_session.h"

namespace holdfast::bench {
namespace {

struct Manner {
  std::string silent_at;        // the name of a stage; empty: nowhere
  base::Millis delay{0};        // before each answer
};

class Guest final : private net::StreamHandler {
 public:
  Guest(net::Loop& loop, base::UniqueFd fd, const Manner& manner, std::function<void()> ended)
      : manner_(manner),
        core_({.hostname = "hole.test", .size_limit = 0, .max_errors = 0}),
        stream_(loop, std::move(fd), *this),
        wait_(loop, [this] { accept(); }),
        ended_(std::move(ended)) {
    pump();
  }

 private:
  void on_data(std::string_view bytes) override {
    core_.receive(bytes);
    pump();
  }
  void on_end(std::string_view) override { ended_(); }

  void pump() {
    while (const auto event = core_.next_event()) std::visit([this](const auto& e) { on(e); }, *event);
    stream_.write(core_.output());
    core_.output().clear();
    if (!core_.closing()) return;
    stream_.close_when_sent();
    ended_();
  }

  void on(const smtp::event::Connect&) { answer("connect"); }
  void on(const smtp::event::Helo&) { answer("ehlo"); }
  void on(const smtp::event::Mail&) { answer("mail"); }
  void on(const smtp::event::Rcpt& event) { answer(unknown(event.recipient) ? "unknown" : "rcpt"); }
  void on(const smtp::event::Data&) { answer("data"); }
  void on(const smtp::event::Content&) {}
  void on(const smtp::event::ContentEnd&) { answer("dot"); }
  void on(const smtp::event::Reset&) {}
  void on(const smtp::event::Quit&) {}
  void on(const smtp::event::Rejected&) {}
  void on(const smtp::event::StartTls&) {}  // neither is offered
  void on(const smtp::event::Xclient&) {}

  // Long names are what a prober makes up to see whether a server takes everybody.
  static bool unknown(const mail::Address& recipient) { return recipient.local.size() > 20; }

  void answer(std::string_view stage) {
    refuse_ = stage == "unknown";
    if (stage == manner_.silent_at) return;
    if (manner_.delay > base::Millis(0)) return wait_.start(manner_.delay);
    say();
  }
  void accept() {
    say();
    pump();
  }
  void say() {
    if (refuse_) return core_.reply(mail::Reply::make(550, "5.1.1", "No such user"));
    core_.accept();
  }

  const Manner& manner_;
  smtp::ServerSession core_;
  net::Stream stream_;
  net::Timer wait_;
  std::function<void()> ended_;
  bool refuse_ = false;
};

class Hole {
 public:
  Hole(base::UniqueFd fd, Manner manner)
      : manner_(std::move(manner)),
        listener_(loop_, std::move(fd), [this](base::UniqueFd client, const net::SocketAddress&) {
          const auto at = guests_.insert(guests_.end(), nullptr);
          *at = std::make_unique<Guest>(loop_, std::move(client), manner_, [this, at] { end(at); });
        }) {}

  void run() { loop_.run(); }

 private:
  void end(std::list<std::unique_ptr<Guest>>::iterator guest) {
    loop_.bury(std::move(*guest));
    guests_.erase(guest);
  }

  const Manner manner_;
  net::Loop loop_;
  std::list<std::unique_ptr<Guest>> guests_;
  net::Listener listener_;
};

base::Status run(std::uint16_t port, Manner manner) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  auto fd = net::listen_on(*net::SocketAddress::ip("127.0.0.1", port));
  if (!fd) return std::unexpected(fd.error());
  Hole(*std::move(fd), std::move(manner)).run();
  return {};
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast;
  CLI::App app("Takes all mail on a port of 127.0.0.1 and forgets it, until it is killed.");
  std::uint16_t port = 0;
  double delay = 0;
  bench::Manner manner;
  app.add_option("--port", port)->required();
  app.add_option("--silent-at", manner.silent_at, "never answers this")
      ->check(CLI::IsMember({"connect", "ehlo", "mail", "rcpt", "data", "dot"}));
  app.add_option("--delay", delay, "seconds before each answer");
  CLI11_PARSE(app, argc, argv);
  manner.delay = base::Millis(static_cast<std::int64_t>(delay * 1000));
  if (auto done = bench::run(port, std::move(manner)); !done) {
    fmt::print(stderr, "smtp-hole: {}\n", done.error().text);
    return base::exit_code(done.error().kind);
  }
}
