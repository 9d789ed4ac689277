// Keys of LMDB tables: numbers big-endian, so that the order of keys is that of numbers; names with a
// terminating zero byte, so that no name's keys lie among another's.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/panic.h"

namespace holdfast::storage {

inline constexpr std::size_t kMaxKeyName = 400;  // LMDB's keys end at 511 bytes

class Key {
 public:
  template <std::unsigned_integral T>
  Key& number(T value) {
    for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<char>(value >> shift));
    }
    return *this;
  }
  // Times before 1970 are none of ours.
  Key& time(std::int64_t ms) { return number(static_cast<std::uint64_t>(ms < 0 ? 0 : ms)); }
  Key& name(std::string_view s) {
    base::expect(s.size() <= kMaxKeyName, "a name is too long for a key");
    out_.append(s);
    out_.push_back('\0');
    return *this;
  }
  Key& raw(std::string_view s) {
    out_.append(s);
    return *this;
  }
  operator std::string_view() const { return out_; }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
};

template <std::unsigned_integral T>
T key_number(std::string_view key, std::size_t at) {
  base::expect(at + sizeof(T) <= key.size(), "a key is too short");
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>((value << 8) | static_cast<unsigned char>(key[at + i]));
  return value;
}

}  // namespace holdfast::storage
