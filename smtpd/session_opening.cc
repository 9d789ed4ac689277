// A session before its banner: who the client is, whether it may come in, and whether it can wait.
#include <sys/socket.h>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"
#include "smtpd/reject_log.h"
#include "smtpd/session.h"

namespace holdfast::smtpd {

using mail::Reply;

void Session::start(const std::optional<Reply>& refusal) {
  if (refusal) {
    turn_away(*refusal);
  } else if (base::contains(shared_.book.config().clients.proxies, ip_)) {
    await_header();
  } else {
    admit({});
  }
}

void Session::await_header() {
  opening_ = std::make_unique<Opening>(shared_.loop, true, shared_.book.config().clients.proxy_timeout,
                                       [this] { bad_header("it did not come in time"); });
}

void Session::before_banner(std::string_view bytes) {
  if (!opening_->awaits_header) {
    if (refuses_haste()) return talked_early();
    core_.receive(bytes);
    if (core_.buffered() > smtp::ServerSession::kMaxBuffered) stream_.pause_reading();
    return;
  }
  opening_->bytes += bytes;
  const auto header = net::parse_proxy_header(opening_->bytes);
  if (header.status == net::ProxyHeader::Status::kIncomplete) return;
  if (header.status == net::ProxyHeader::Status::kBad) return bad_header(header.fault);
  of_proxy_ = !header.client;
  if (header.client) set_client(*header.client);
  // Whoever may name others by XCLIENT is asked after behind the header, not in front of it.
  const std::string rest = opening_->bytes.substr(header.length);
  opening_.reset();
  admit(rest);
}

// A 4xx: it is our admin's mistake, not the sender's.
void Session::bad_header(std::string_view fault) {
  base::log().warning(fmt::format("PROXY header from {}: {}", client_.address, fault));
  opening_.reset();
  close(Reply::make(421, "4.3.0", "The PROXY header is missing or bad"));
}

// `early` is what came behind the PROXY header, before any banner.
void Session::admit(std::string_view early) {
  if (const auto refusal = shared_.limits.enter(ip_, shared_.loop.now(), place_)) return turn_away(*refusal);
  shared_.admission.expect(ip_, place_.trusted());
  look_up_name();
  announce();
  const auto& clients = shared_.book.config().clients;
  if (refuses_haste() && (!early.empty() || (clients.banner_delay.count() == 0 && has_spoken()))) return talked_early();
  core_.receive(early);
  if (clients.banner_delay.count() == 0) return greet();
  opening_ = std::make_unique<Opening>(shared_.loop, false, clients.banner_delay, [this] { greet(); });
}

void Session::greet() {
  opening_.reset();
  patience_.begin_command(shared_.loop.now());
  core_.options().xclient = base::contains(shared_.book.config().clients.xclients, ip_);
  core_.options().strict_pipelining = refuses_haste();
  pump();
}

// From here on, while the client and we go on: EHLO is the first that waits for it.
void Session::look_up_name() {
  client_.name.clear();
  name_wait_.reset();
  if (shared_.book.config().clients.lookup.count() == 0) return;
  if (auto known = shared_.names.known(ip_)) {
    client_.name = std::move(*known);
    return;
  }
  asked_name_ = shared_.loop.now();
  name_wait_ = shared_.names.ask(ip_, [this](const std::string& name) {
    client_.name = name;
    name_is_settled();
  });
}

void Session::await_name() {
  const auto waited = shared_.loop.now() - asked_name_;
  const auto left = std::chrono::ceil<net::Millis>(shared_.book.config().clients.lookup - waited);
  name_limit_ = std::make_unique<net::Timer>(shared_.loop, [this] {
    shared_.names.gave_up(asked_name_);
    name_is_settled();
  });
  name_limit_->start(std::max(left, net::Millis{1}));
}

// It is known, or has been waited for long enough: HELO or EHLO is answered if it has come.
void Session::name_is_settled() {
  name_wait_.reset();
  if (!name_limit_) return;
  name_limit_.reset();
  core_.accept();
  pump();
}

// Bytes that are here before our banner is. An end of the connection is not speaking.
bool Session::has_spoken() const {
  char byte;
  return ::recv(stream_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// Hosts of our own may be machines that cannot wait, and are no spammers; nor is a proxy that looks whether we live.
bool Session::refuses_haste() const {
  return shared_.book.config().clients.refuse_early && !place_.trusted() && !of_proxy_;
}

// An IPv4 address may come as ::ffff:192.0.2.1: it is shown as what it is.
void Session::set_client(const net::SocketAddress& address) {
  ip_ = address.ip_address();
  client_.address = ip_.text();
  client_.port = address.port();
  client_.literal = ip_.is_v4() ? fmt::format("[{}]", client_.address) : fmt::format("[IPv6:{}]", client_.address);
}

void Session::talked_early() {
  opening_.reset();
  daemon::add(shared_.limits.gauges().early_talkers, std::uint64_t{1});
  stats::count(stats::Counter::kEarlyTalkers);
  const auto reply = Reply::make(554, "5.5.0", "You spoke before the banner");
  log_reject(client_, {.stage = "CONNECT", .reply = reply, .sender = {}, .recipient = {}});
  close(reply);
}

void Session::announce() {
  announced_ = true;
  base::log().write(mail::events::connect(client_.name, client_.address));
}

void Session::turn_away(const Reply& refusal) {
  announce();
  log_reject(client_, {.stage = "CONNECT", .reply = refusal, .sender = {}, .recipient = {}});
  close(refusal);
}

}  // namespace holdfast::smtpd
