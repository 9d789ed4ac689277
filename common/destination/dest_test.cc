#include "common/destination/dest_test.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/socket.h>

#include "common/base/text.h"
#include "common/destination/pool_options.h"
#include "common/destination/security.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "common/upstream/connection.h"

namespace holdfast::destination {
namespace {

using Result = Finding::Result;
using mail::Reply;
using mail::Stage;

// Its SPF record is "v=spf1 -all": nobody may send in its name (RFC 2606 keeps the domain for examples).
constexpr std::string_view kForeignSender = "holdfast-test@example.com";
// Nobody's, and never will be (RFC 2606).
constexpr std::string_view kElsewhere = "holdfast-relay-test@elsewhere.invalid";

// Which of our addresses that server sees.
std::string address_towards(const net::SocketAddress& server) {
  const base::UniqueFd fd(::socket(server.raw()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage ours{};
  socklen_t length = sizeof ours;
  if (!fd || ::connect(fd.get(), server.raw(), server.length()) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&ours), &length) != 0) {
    return "this host";
  }
  return net::SocketAddress(reinterpret_cast<const sockaddr*>(&ours), length).host();
}

// One address of one server: a connection, and transactions on it that all end with RSET.
class Visit final : private upstream::ConnectionHandler {
 public:
  Visit(net::Loop& loop, const DestTest& test, const config::HostPort& server, const net::SocketAddress& address,
        std::function<void(Finding)> tell, std::function<void()> done)
      : loop_(loop), test_(test), address_(address), tell_(std::move(tell)), done_(std::move(done)),
        idle_(loop, [this] { next_when_idle(); }) {
    ask_all();
    connection_ = std::make_unique<upstream::Connection>(
        loop, address, test.config.hostname, timeouts_of(test.destination), static_cast<ConnectionHandler&>(*this),
        security_of(test.destination), server.host, upstream::Opening{.manner = manner_of(test.destination)});
  }

 private:
  struct Question {
    std::string sender, recipient;
    std::function<void(const Reply& mail)> on_mail;
    std::function<void(const Reply& rcpt)> on_rcpt;  // the refusal of MAIL where that was refused
  };

  void ask_all() {
    if (test_.domain.empty()) return;
    const std::string postmaster = "postmaster@" + test_.domain;
    const std::string random = fmt::format("holdfast-{:016x}@{}", base::random_number(), test_.domain);
    questions_.push_back({"", postmaster, [this](const Reply& r) { say(judge::null_sender(r)); }, [this](const Reply& r) { say(judge::postmaster(r)); }});
    questions_.push_back({"", random, {}, [this](const Reply& r) { say(judge::random_recipient(r)); }});
    questions_.push_back({"", std::string(kElsewhere), {}, [this](const Reply& r) { say(judge::relaying(r)); }});
    questions_.push_back({std::string(kForeignSender), postmaster, {}, [this](const Reply& r) {
                            say(judge::foreign_sender(r, address_towards(address_)));
                            say(judge::greylisting(greylisted_));
                          }});
  }

  void say(Finding finding) {
    finding.server = address_.text();
    tell_(std::move(finding));
  }
  void say(const char* step, Result result, std::string text) { say(Finding{.server = {}, .step = step, .result = result, .text = std::move(text)}); }

  void on_ready() override {
    say("TCP", Result::kPass, "connected");
    say("banner", Result::kPass, connection_->banner().text());
    const auto& can = connection_->capabilities();
    say("EHLO", Result::kPass, fmt::format("{}{}{}", can.pipelining ? "PIPELINING " : "", can.size ? fmt::format("SIZE {} ", can.size_limit) : "",
                                           can.smtputf8 ? "SMTPUTF8" : "no SMTPUTF8"));
    say_tls();
    next();
  }

  void say_tls() {
    const std::string& policy = test_.destination.tls.policy;
    if (connection_->secured()) {
      const bool checked = policy == "verify" || policy == "pin";
      say("TLS", Result::kPass, checked ? "encrypted, and the certificate is good" : fmt::format("encrypted; tls is {}: its certificate is not checked", policy));
    } else if (connection_->fell_back()) {
      say("TLS", Result::kWarn, "offered, but the handshake fails: mail goes in the clear");
    } else {
      say("TLS", Result::kWarn, policy == "off" ? "tls is off: mail goes in the clear" : "not offered: mail goes in the clear");
    }
  }

  void next() {
    if (questions_.empty()) {
      connection_->quit();
      return loop_.later(done_);
    }
    connection_->mail(questions_.front().sender, "");
  }

  void note(const Reply& reply) {
    if (greylisted_.code == 0 && judge::is_greylisting(reply)) greylisted_ = reply;
  }

  void on_mail(const Reply& reply) override {
    note(reply);
    const auto& question = questions_.front();
    if (question.on_mail) question.on_mail(reply);
    if (reply.positive()) return connection_->rcpt(question.recipient);
    answered(reply);
    next_when_idle();
  }

  void on_rcpt(const Reply& reply) override {
    note(reply);
    answered(reply);
    connection_->reset();
  }

  void answered(const Reply& reply) {
    const auto question = std::move(questions_.front());
    questions_.pop_front();
    question.on_rcpt(reply);
  }

  void on_reset(const Reply&) override { next(); }

  // After a refused MAIL the connection says RSET by itself, and tells nobody when that is answered.
  void next_when_idle() {
    constexpr net::Millis kLookAgain{10};
    if (connection_->idle()) return next();
    idle_.start(kLookAgain);
  }

  void on_failed(const upstream::Failure& failure) override {
    static constexpr std::pair<Stage, const char*> kSteps[] = {{Stage::kConnect, "TCP"}, {Stage::kBanner, "banner"}, {Stage::kEhlo, "EHLO"},
                                                               {Stage::kStartTls, "TLS"}, {Stage::kAuth, "AUTH"}};
    const char* step = "session";
    for (const auto& [stage, name] : kSteps) {
      if (failure.stage == stage) step = name;
    }
    say(step, Result::kFail, failure.reason);
    loop_.later(done_);
  }

  net::Loop& loop_;
  const DestTest& test_;
  const net::SocketAddress address_;
  const std::function<void(Finding)> tell_;
  const std::function<void()> done_;
  std::deque<Question> questions_;
  Reply greylisted_;
  net::Timer idle_;
  std::unique_ptr<upstream::Connection> connection_;
};

class Run {
 public:
  Run(const DestTest& test, const std::function<void(const Finding&)>& tell) : test_(test), tell_(tell), resolver_(loop_) {}

  bool go() {
    loop_.later([this] { next_server(); });
    loop_.run();
    return good_;
  }

 private:
  void tell(const Finding& finding) {
    good_ = good_ && finding.result != Result::kFail;
    tell_(finding);
  }

  void next_server() {
    if (server_ == test_.servers.size()) return loop_.stop();
    const auto& server = test_.servers[server_];
    resolver_.resolve(server.host, static_cast<std::uint16_t>(server.port), [this, &server](auto found) {
      if (!found || found->empty()) {
        tell({.server = server.text(), .step = "DNS", .result = Result::kFail, .text = found ? "no address" : found.error().text});
        ++server_;
        return next_server();
      }
      std::vector<std::string> texts;
      for (const auto& address : *found) texts.push_back(address.host());
      tell({.server = server.text(), .step = "DNS", .result = Result::kPass, .text = fmt::format("{}", fmt::join(texts, ", "))});
      addresses_ = std::move(*found);
      address_ = 0;
      next_address();
    });
  }

  void next_address() {
    loop_.bury(std::move(visit_));
    if (address_ == addresses_.size()) {
      ++server_;
      return next_server();
    }
    visit_ = std::make_unique<Visit>(loop_, test_, test_.servers[server_], addresses_[address_++], [this](const Finding& f) { tell(f); },
                                     [this] { next_address(); });
  }

  const DestTest& test_;
  const std::function<void(const Finding&)>& tell_;
  net::Loop loop_;
  net::Resolver resolver_;
  std::vector<net::SocketAddress> addresses_;
  std::size_t server_ = 0, address_ = 0;
  std::unique_ptr<Visit> visit_;
  bool good_ = true;
};

}  // namespace

bool run_dest_test(const DestTest& test, const std::function<void(const Finding&)>& tell) { return Run(test, tell).go(); }

}  // namespace holdfast::destination
