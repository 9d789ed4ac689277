#include "common/base/codec.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

enum class Colour : std::uint8_t { kRed = 1, kBlue = 200 };

struct Inner {
  std::string name;
  std::int64_t when = 0;
  template <class V>
  void fields(V&& v) {
    v(name, when);
  }
  bool operator==(const Inner&) const = default;
};

struct Outer {
  std::uint32_t number = 0;
  bool flag = false;
  Colour colour = Colour::kRed;
  std::vector<Inner> inners;
  std::vector<std::string> words;
  template <class V>
  void fields(V&& v) {
    v(number, flag, colour, inners, words);
  }
  bool operator==(const Outer&) const = default;
};

// Outer as a later version declares it.
struct OuterLater : Outer {
  std::string added = "default";
  template <class V>
  void fields(V&& v) {
    v(number, flag, colour, inners, words, added);
  }
};

Outer sample() {
  return {77, true, Colour::kBlue, {{"a", -1}, {std::string("b\0c", 3), 1LL << 62}}, {"", "x"}};
}

TEST(Codec, RoundTrip) {
  const auto back = decode<Outer>(encode(sample()));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, sample());
}

TEST(Codec, TheBytesAreFixed) {
  const Inner inner{"ab", -2};
  EXPECT_EQ(encode(inner), std::string("\x02\0\0\0ab\xfe\xff\xff\xff\xff\xff\xff\xff", 14));
}

TEST(Codec, AnInputCutInsideAFieldIsRefused) {
  const std::string whole = encode(sample());
  // Ends of outermost fields, where an older writer would have stopped: these alone may be accepted.
  const std::vector<std::size_t> ends = {0, 4, 5, 6, whole.size() - (4 + 4 + 4 + 1), whole.size()};
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const bool at_an_end = std::find(ends.begin(), ends.end(), n) != ends.end();
    EXPECT_EQ(decode<Outer>(std::string_view(whole).substr(0, n)).has_value(), at_an_end) << n << " bytes";
  }
}

TEST(Codec, FieldsAddedLaterKeepTheirDefaults) {
  const auto later = decode<OuterLater>(encode(sample()));
  ASSERT_TRUE(later.has_value());
  EXPECT_EQ(static_cast<const Outer&>(*later), sample());
  EXPECT_EQ(later->added, "default");
}

TEST(Codec, SurplusBytesAreRefused) { EXPECT_FALSE(decode<Outer>(encode(sample()) + "x").has_value()); }

TEST(Codec, ABoolIsZeroOrOne) {
  std::string bytes = encode(sample());
  bytes[4] = 2;
  EXPECT_FALSE(decode<Outer>(bytes).has_value());
}

TEST(Codec, ACountThatCannotBeIsRefusedBeforeMemoryIsTaken) {
  std::string bytes = encode(Outer{});
  for (std::size_t i = 6; i < 10; ++i) bytes[i] = '\xff';  // the count of inners
  EXPECT_FALSE(decode<Outer>(bytes).has_value());
}

}  // namespace
}  // namespace holdfast::base
