// Made-up mail for measurements: the same options and seed give the same messages. Pure.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/mail/envelope.h"

namespace holdfast::bench {

struct Range {
  std::uint64_t least = 1, most = 1;
};

struct MessageOptions {
  struct Domain {
    std::string name, destination;
  };
  std::vector<Domain> domains;   // never empty; all recipients of a message are in one of them
  Range size{4096, 4096};        // bytes of a content, in wire format; never under 400
  Range recipients{1, 1};        // of a message
  std::uint64_t senders = 1000;  // how many different ones
  std::uint64_t mailboxes = 1000;
  std::int64_t oldest_ms = 0;    // arrivals are spread evenly from here
  std::int64_t newest_ms = 0;    // to here, in the order in which messages are made
  std::uint64_t count = 1;
  std::uint64_t seed = 1;
};

struct MadeMessage {
  mail::Envelope envelope;
  std::string content;  // in wire format, our Received on top
};

class Messages {
 public:
  explicit Messages(MessageOptions options);

  // The next of `count`.
  MadeMessage next();

 private:
  std::uint64_t draw(Range range);
  std::string content(const mail::Envelope& envelope, std::uint64_t size);

  const MessageOptions options_;
  std::mt19937_64 random_;
  std::string body_;  // lines, as long as the largest message
  std::uint64_t made_ = 0;
};

}  // namespace holdfast::bench
