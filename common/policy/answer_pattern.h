// Which answers of a DNS block list count (RFC 5782 section 2.1: a listed address has an A record in 127.0.0.0/8). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace holdfast::policy {

class AnswerPattern {
 public:
  // All of 127.0.0.0/8 but 127.255.255.*, which the large lists answer to those whom they do not serve.
  AnswerPattern() = default;
  // "127.0.0.2", "127.0.0.2..11", "127.0.*.4..7,127.0.1.2": each octet a number, a range or '*'; several with commas.
  static base::Result<AnswerPattern> parse(std::string_view text);

  bool matches(const std::array<std::uint8_t, 4>& answer) const;

 private:
  struct Octet {
    std::uint8_t least = 0, most = 255;
  };
  using Form = std::array<Octet, 4>;
  std::vector<Form> forms_;
};

}  // namespace holdfast::policy
