// Structs that list their members in one fields() visitor, to bytes and back. The same declaration
// serves the spool's envelopes and the messages between daemons (models.md, habit 8):
//
//   struct Synced { std::uint32_t writer; std::uint64_t upto;
//                   template <class V> void fields(V&& v) { v(writer, upto); } };
//
// Numbers are little-endian, texts and lists carry a 32-bit count. decode() believes nothing: a short or
// overlong input, or a count that the rest of the input cannot hold, is refused. Fields are only ever
// added at the end; decode() accepts an input that ends before them (they keep their defaults) but not
// one that ends inside one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/base/bytes.h"

namespace holdfast::base {

namespace codec {

template <class T>
void put(Writer& w, const T& value);
template <class T>
void get(Reader& r, T& value);

template <class T>
void put_vector(Writer& w, const std::vector<T>& list) {
  w.number(static_cast<std::uint32_t>(list.size()));
  for (const auto& item : list) put(w, item);
}

template <class T>
void get_vector(Reader& r, std::vector<T>& list) {
  const auto count = r.number<std::uint32_t>();
  if (count > r.left()) {  // every item takes a byte at least
    r.refuse();
    return;
  }
  list.clear();
  list.reserve(std::min<std::uint32_t>(count, 1024));  // believed when the items have come
  for (std::uint32_t i = 0; i < count && r.ok(); ++i) get(r, list.emplace_back());
}

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
void put(Writer& w, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    w.bytes(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    w.number(static_cast<std::uint8_t>(value));
  } else if constexpr (std::is_enum_v<T>) {
    put(w, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_integral_v<T>) {
    w.number(static_cast<std::make_unsigned_t<T>>(value));
  } else if constexpr (IsVector<T>::value) {
    put_vector(w, value);
  } else {
    const_cast<T&>(value).fields([&](auto&... field) { (put(w, field), ...); });
  }
}

template <class T>
void get(Reader& r, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    value = std::string(r.bytes());
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto raw = r.number<std::uint8_t>();
    if (raw > 1) r.refuse();
    value = raw == 1;
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> raw{};
    get(r, raw);
    value = static_cast<T>(raw);
  } else if constexpr (std::is_integral_v<T>) {
    value = static_cast<T>(r.number<std::make_unsigned_t<T>>());
  } else if constexpr (IsVector<T>::value) {
    get_vector(r, value);
  } else {
    value.fields([&](auto&... field) { (get(r, field), ...); });
  }
}

}  // namespace codec

template <class T>
std::string encode(const T& value) {
  std::string out;
  Writer w(out);
  codec::put(w, value);
  return out;
}

// At the outermost struct only, missing trailing fields are allowed.
template <class T>
std::optional<T> decode(std::string_view bytes) {
  T value{};
  Reader r(bytes);
  value.fields([&](auto&... field) {
    ((r.left() > 0 ? codec::get(r, field) : void()), ...);
  });
  if (!r.ok() || r.left() != 0) return std::nullopt;
  return value;
}

}  // namespace holdfast::base
