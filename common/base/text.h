// ASCII text: what SMTP, configuration and command lines are made of. No locale anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::base {

char lower(char c);
std::string to_lower(std::string_view s);
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view s, std::string_view prefix);
std::string_view trim(std::string_view s);
std::vector<std::string_view> split(std::string_view s, char separator);

// The whole of `s` as a decimal number; nothing if it is empty, has another character, or overflows.
std::optional<std::uint64_t> to_number(std::string_view s);

// Control characters and bytes over 126 as \xHH: what came from outside, for a log line or a terminal.
std::string printable(std::string_view s);

// The candidate nearest to `word` by edit distance, if it is near enough to be a slip of the hand.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// 32 hexadecimal characters of the kernel's randomness, and a random number.
std::string random_token();
std::uint64_t random_number();

}  // namespace holdfast::base
