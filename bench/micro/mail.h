// Made-up content for the micro-benchmarks, in wire format.
#pragma once

#include <string>

namespace holdfast::bench {

enum class Body {
  kText,        // lines of 76
  kShortLines,  // lines of 8
  kDots,        // each line begins with a dot
};

// At least `size` bytes, whole lines.
inline std::string content(std::size_t size, Body body) {
  const std::string line = body == Body::kText ? std::string(76, 'x') + "\r\n"
                           : body == Body::kShortLines ? "xxxxxxxx\r\n"
                                                       : ".." + std::string(74, 'x') + "\r\n";
  std::string out = "From: sender@client.example.test\r\nTo: recipient@example.test\r\nSubject: a benchmark\r\n\r\n";
  while (out.size() < size) out += line;
  return out;
}

}  // namespace holdfast::bench
