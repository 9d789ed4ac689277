// What the sink got: counts, a line a message, files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace holdfast::gatewayctl::sink {

struct Counts {
  std::uint64_t connections = 0;
  std::uint64_t messages = 0;    // answered 250 after the dot
  std::uint64_t recipients = 0;  // of these messages
  std::uint64_t bytes = 0;       // of their contents, without stuffing
  std::uint64_t refused = 0;     // 5xx given by a rule
  std::uint64_t tempfailed = 0;  // 4xx given by a rule
  std::uint64_t stalled = 0;
  std::uint64_t dropped = 0;

  std::string text(bool json) const;
};

struct Received {
  std::string client;  // its address
  std::string helo;
  std::string sender;
  std::vector<std::string> recipients;
  std::string wire;  // content; empty unless the store wants_content()
  std::uint64_t octets = 0;
};

class Store {
 public:
  struct Options {
    std::string folder;  // --save: NNNNNN.eml there (the content, dots single), NNNNNN.json beside it
    bool print = false;
    bool json = false;
  };
  explicit Store(Options options) : options_(std::move(options)) {}

  base::Status prepare();  // makes the folder
  bool wants_content() const { return !options_.folder.empty(); }
  // Files appear under their names only when they are whole, the content first.
  base::Status take(const Received& message);

  Counts counts;

 private:
  base::Status save(const std::string& name, std::string_view bytes);

  Options options_;
};

}  // namespace holdfast::gatewayctl::sink
