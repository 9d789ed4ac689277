#include "common/mail/events.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::mail::events {
namespace {

constexpr std::size_t kMaxField = 1000;

// What came from outside, for a line of its own place in the log.
std::string safe(std::string_view s) { return base::printable(s.substr(0, kMaxField)); }

// Inside <…>: pflogsumm and others read up to the first ">".
std::string address(std::string_view s) {
  std::string out = safe(s);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '<' || c == '>'; }, '?');
  return out;
}

// The same for a text that may come with its brackets.
std::string bracketed(std::string_view s) {
  if (s.size() >= 2 && s.front() == '<' && s.back() == '>') s = s.substr(1, s.size() - 2);
  return fmt::format("<{}>", address(s));
}

std::string host(std::string_view name, std::string_view ip) {
  return fmt::format("{}[{}]", name.empty() ? "unknown" : safe(name), ip);
}

// As Postfix does: two significant digits, hundredths at the finest, no trailing zeros.
std::string seconds(double s) {
  if (s < 0.005) return "0";
  const int decimals = s < 0.995 ? 2 : s < 9.95 ? 1 : 0;
  std::string out = fmt::format("{:.{}f}", s, decimals);
  if (decimals > 0) {
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
  }
  return out;
}

std::string handover(const Handover& h, std::string_view status) {
  const double total = std::accumulate(h.delays.begin(), h.delays.end(), 0.0);
  return fmt::format("{}: to=<{}>, relay={}, delay={}, delays={}/{}/{}/{}, dsn={}, status={} ({})", h.id.text(),
                     address(h.recipient), safe(h.relay), seconds(total), seconds(h.delays[0]), seconds(h.delays[1]),
                     seconds(h.delays[2]), seconds(h.delays[3]), h.dsn, status,
                     h.answer.empty() ? "no reply" : safe(h.answer));
}

std::string from(QueueId id, std::string_view sender, std::uint64_t size, std::size_t recipients,
                 std::string_view what) {
  return fmt::format("{}: from=<{}>, size={}, nrcpt={} ({})", id.text(), address(sender), size, recipients, what);
}

}  // namespace

std::string client(QueueId id, std::string_view name, std::string_view ip) {
  return fmt::format("{}: client={}", id.text(), host(name, ip));
}

std::string connect(std::string_view name, std::string_view ip) {
  return fmt::format("connect from {}", host(name, ip));
}

std::string tls_from(std::string_view name, std::string_view ip, std::string_view how) {
  return fmt::format("Anonymous TLS connection established from {}: {}", host(name, ip), how);
}

std::string tls_to(std::string_view relay, std::string_view trust, std::string_view how) {
  return fmt::format("{} TLS connection established to {}: {}", trust, relay, how);
}

std::string disconnect(std::string_view name, std::string_view ip) {
  return fmt::format("disconnect from {}", host(name, ip));
}

std::string proxied_from(QueueId id, std::string_view sender, std::uint64_t size, std::size_t recipients) {
  return from(id, sender, size, recipients, "proxied");
}

std::string queued_from(QueueId id, std::string_view sender, std::uint64_t size, std::size_t recipients) {
  return from(id, sender, size, recipients, "queue active");
}

std::string message_id(QueueId id, std::string_view text) {
  return fmt::format("{}: message-id={}", id.text(), bracketed(text));
}

std::string sent(const Handover& h) { return handover(h, "sent"); }
std::string deferred(const Handover& h) { return handover(h, "deferred"); }
std::string refused(const Handover& h) { return handover(h, "refused"); }
std::string bounced(const Handover& h) { return handover(h, "bounced"); }

std::string removed(QueueId id) { return fmt::format("{}: removed", id.text()); }

std::string possible_duplicate(QueueId id, std::string_view relay) {
  return fmt::format("{}: possible duplicate: the reply to the end of DATA was lost, relay={}", id.text(), safe(relay));
}

std::string expired(QueueId id, std::string_view sender) {
  return fmt::format("{}: from=<{}>, status=expired, returned to sender", id.text(), address(sender));
}

std::string bounce_queued(QueueId id, QueueId bounce, std::string_view kind) {
  return fmt::format("{}: {}: {}", id.text(), kind, bounce.text());
}

std::string frozen(QueueId id, std::string_view why) { return fmt::format("{}: frozen: {}", id.text(), safe(why)); }

std::string reject(const Reject& r) {
  std::string out = fmt::format("{}: {}: {} from {}: {}", r.id.value == 0 ? "NOQUEUE" : r.id.text(), r.action, r.stage, host(r.name, r.address), r.reply);
  if (!r.subject.empty()) out += fmt::format(" {}:", bracketed(r.subject));
  out += fmt::format(" {};", safe(r.why));
  if (r.stage != "CONNECT") out += fmt::format(" from=<{}>", address(r.sender));
  if (!r.recipient.empty()) out += fmt::format(" to=<{}>", address(r.recipient));
  out += fmt::format(" proto={}", r.protocol);
  if (!r.helo.empty()) out += fmt::format(" helo=<{}>", address(r.helo));
  return out;
}

std::string destination_state(std::string_view name, std::string_view state, std::string_view was, int after,
                              std::string_view reason) {
  return fmt::format("destination={} state={} was={} after={} reason=\"{}\"", name, state, was, after, safe(reason));
}

}  // namespace holdfast::mail::events
