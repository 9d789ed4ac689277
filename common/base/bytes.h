// Little-endian bytes for what we put on disk and between daemons. A Writer appends to a string; a
// Reader never reads past its end: after the first short read ok() is false and every value is zero or
// empty, so that a decoder checks once, at its end.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::base {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <std::unsigned_integral T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out_.push_back(static_cast<char>(value >> (8 * i)));
  }
  // A 32-bit length, then the bytes.
  void bytes(std::string_view s) {
    number(static_cast<std::uint32_t>(s.size()));
    out_.append(s);
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  template <std::unsigned_integral T>
  T number() {
    const std::string_view raw = take(sizeof(T));
    T value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(raw[i])) << (8 * i));
    }
    return value;
  }
  std::string_view bytes() { return take(number<std::uint32_t>()); }
  std::string_view take(std::size_t n) {
    if (!ok_ || n > in_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view out = in_.substr(0, n);
    in_.remove_prefix(n);
    return out;
  }
  // A decoder that finds a value out of bounds says so here.
  void refuse() { ok_ = false; }

  bool ok() const { return ok_; }
  std::size_t left() const { return in_.size(); }

 private:
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace holdfast::base
