#include "bench/messages.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/panic.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kLine = 76;

}  // namespace

Messages::Messages(MessageOptions options) : options_(std::move(options)), random_(options_.seed) {
  base::expect(!options_.domains.empty() && options_.count > 0, "nothing to make messages of");
  while (body_.size() < options_.size.most + kLine) {
    for (std::size_t i = 0; i < kLine; ++i) body_.push_back(static_cast<char>('a' + draw({0, 25})));
    body_ += "\r\n";
  }
}

std::uint64_t Messages::draw(Range range) { return range.least + random_() % (range.most - range.least + 1); }

std::string Messages::content(const mail::Envelope& envelope, std::uint64_t size) {
  std::string out = fmt::format(
      "Received: from {0} ({0} [{1}])\r\n\tby mx.example.test (Holdfast) with ESMTP;\r\n\tSun, 22 Nov 2026 10:00:00 +0000\r\n"
      "Message-ID: {2}\r\nFrom: <{3}>\r\nTo: <{4}>\r\nSubject: bench {5}\r\n\r\n",
      envelope.helo, envelope.client_address, envelope.message_id, envelope.sender,
      envelope.recipients.front().address, made_);
  if (out.size() + 2 >= size) return out;
  out.append(body_, 0, size - out.size() - 2);  // may end between CR and LF
  if (out.back() == '\r') out.back() = 'a';
  return out + "\r\n";
}

MadeMessage Messages::next() {
  const auto& domain = options_.domains[draw({0, options_.domains.size() - 1})];
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(0, options_.newest_ms - options_.oldest_ms));
  MadeMessage out;
  auto& e = out.envelope;
  e.sender = fmt::format("sender{}@senders.test", draw({0, options_.senders - 1}));
  const auto recipients = draw(options_.recipients);
  const auto first = draw({0, options_.mailboxes - 1});
  for (std::uint64_t i = 0; i < recipients; ++i) {
    e.recipients.push_back({.address = fmt::format("user{}@{}", (first + i) % options_.mailboxes, domain.name),
                            .orcpt = {}, .notify = {}, .known = true});
  }
  e.destination = domain.destination;
  e.arrival_ms = options_.oldest_ms + static_cast<std::int64_t>(span / options_.count * made_);
  e.client_address = "192.0.2.10";
  e.client_port = 25000;
  e.helo = e.client_name = "mail.senders.test";
  e.protocol = "ESMTP";
  e.unfiltered = true;
  e.message_id = fmt::format("<bench.{}.{}@senders.test>", options_.seed, made_);
  out.content = content(e, draw(options_.size));
  ++made_;
  return out;
}

}  // namespace holdfast::bench
