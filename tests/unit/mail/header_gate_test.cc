#include "common/mail/header_gate.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace holdfast::mail {
namespace {

struct Passed {
  std::string text;
  std::uint64_t fields = 0, received = 0, octets = 0;
  bool operator==(const Passed&) const = default;
};

Passed pass(std::string_view message, const std::function<std::size_t()>& cut) {
  HeaderGate gate;
  Passed out;
  while (!message.empty()) {
    const std::string copy(message.substr(0, cut()));  // its own memory: what is read behind it would show
    message.remove_prefix(copy.size());
    std::string_view piece = copy;
    while (const auto kept = gate.next(piece)) {
      EXPECT_FALSE(kept->empty());
      out.text += *kept;
    }
    EXPECT_TRUE(piece.empty() || gate.ended());
    out.text += piece;
  }
  if (!gate.ended()) out.text += gate.finish().value_or("");
  out.fields = gate.fields();
  out.received = gate.received();
  out.octets = gate.octets();
  return out;
}

Passed pass_all_ways(std::string_view message) {
  const Passed whole = pass(message, [] { return std::string::npos; });
  EXPECT_EQ(pass(message, [] { return std::size_t{1}; }), whole) << message;
  std::mt19937 random(7);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(pass(message, [&] { return 1 + random() % 20; }), whole) << message;
  return whole;
}

TEST(HeaderGate, LetsMailPassAsItIs) {
  for (const std::string_view message :
       {"Subject: x\r\n\r\nbody\r\n", "\r\nX-Holdfast-In: the body\r\n", "no header\r\n\r\nX-Holdfast-A: b\r\n", "", "a", "a:",
        "a: b\r\n", "\r\n", "\r", "A: b\r\n\tc\r\nB : d\r\n\r\n", ": no name\r\nX-Holdfast-A\r\n", "..: dot\r\n\r\n",
        "X-Holdfast: no dash\r\n\r\n", "a\r\n b: c\r\n"}) {
    EXPECT_EQ(pass_all_ways(message).text, message);
  }
}

TEST(HeaderGate, TakesOurFieldsOut) {
  EXPECT_EQ(pass_all_ways("A: b\r\nX-Holdfast-Unfiltered: yes\r\n\tand on\r\n and on\r\nC: d\r\n\r\nX-Holdfast-B: c\r\n").text,
            "A: b\r\nC: d\r\n\r\nX-Holdfast-B: c\r\n");
  EXPECT_EQ(pass_all_ways("x-HOLDFAST-a : b\r\nX-Holdfast-:\r\n\r\nbody\r\n").text, "\r\nbody\r\n");
  EXPECT_EQ(pass_all_ways("X-Holdfast-A: b\r\nno field\r\n").text, "no field\r\n");
  EXPECT_EQ(pass_all_ways("X-Holdfast-A: b").text, "");
}

TEST(HeaderGate, KnowsACopyByItsMark) {
  const auto copy = [](std::string_view message, std::size_t piece) {
    HeaderGate gate;
    for (std::size_t at = 0; at < message.size(); at += piece) {
      auto in = message.substr(at, piece);
      while (gate.next(in)) {
      }
    }
    return gate.copy();
  };
  for (const std::size_t piece : {1u, 7u, 1000u}) {
    EXPECT_TRUE(copy("A: b\r\nX-Holdfast-Copy-Of: 1\r\n\r\n", piece));
    EXPECT_TRUE(copy("x-holdfast-COPY-of: 1\r\n\r\n", piece));
    EXPECT_TRUE(copy("no field\r\nX-Holdfast-Copy-Of : 1\r\n\r\n", piece)) << "where others still read fields";
    EXPECT_FALSE(copy("X-Holdfast-Copy-Offer: 1\r\nX-Holdfast-Copy: 1\r\n\r\n", piece));
    EXPECT_FALSE(copy("X-Holdfast-Unfiltered: yes\r\nSubject: X-Holdfast-Copy-Of: 1\r\n X-Holdfast-Copy-Of: 1\r\n\r\nX-Holdfast-Copy-Of: 1\r\n", piece));
  }
}

// Behind a line that is no field some still read fields; and a name may be longer than we look.
TEST(HeaderGate, IsNotBlindBehindABadLine) {
  for (const std::string& bad : {std::string("no field\r\n"), std::string("From a@b.test Thu Jan  1\r\n"), std::string(": x\r\n"),
                                std::string("N\xc3\xa4me: x\r\n"), std::string(300, 'n') + ": x\r\n"}) {
    const std::string rest = "\r\nX-Holdfast-C: d\r\nReceived: e\r\n";
    const Passed passed = pass_all_ways("A: b\r\n" + bad + "X-Holdfast-A: b\r\n\tand on\r\nReceived: c\r\n" + rest);
    EXPECT_EQ(passed.text, "A: b\r\n" + bad + "Received: c\r\n" + rest);
    EXPECT_EQ(passed.received, 1U);
    EXPECT_EQ(passed.fields, 1U) << "what may be a body is not counted";
    EXPECT_EQ(passed.octets, 6U);
  }
  EXPECT_EQ(pass_all_ways("X-Holdfast-A: b\r\nno field\r\n and on\r\nX-Holdfast-B: c\r\n").text, "no field\r\n and on\r\n");
}

TEST(HeaderGate, NobodyWritesOnInTheFieldInFrontOfHim) {
  for (const std::string& message : std::vector<std::string>{" (from trusted [10.0.0.1])\r\nSubject: x\r\n\r\nx\r\n", "\tby us\r\n", " ",
                                                              " \r\nX-Holdfast-A: b\r\n"}) {
    const Passed passed = pass_all_ways(message);
    EXPECT_EQ(passed.text, "\r\n" + message);
    EXPECT_EQ(passed.fields, 0U);
  }
  EXPECT_EQ(pass_all_ways("X-Holdfast-A: b\r\n and on\r\nC: d\r\n").text, "C: d\r\n") << "not behind one that is taken out";
}

TEST(HeaderGate, Counts) {
  const Passed passed = pass_all_ways("Received: a\r\n\tb\r\nreceived : c\r\nReceivedx: d\r\nX-Holdfast-A: b\r\n\r\nReceived: e\r\n");
  EXPECT_EQ(passed.received, 2U);
  EXPECT_EQ(passed.fields, 4U);
  EXPECT_EQ(passed.octets, std::string_view("Received: a\r\n\tb\r\nreceived : c\r\nReceivedx: d\r\nX-Holdfast-A: b\r\n\r\n").size());
}

TEST(HeaderGate, HoldsNoMoreThanAName) {
  HeaderGate gate;
  const std::string name(1000, 'x');
  std::string_view in = name;
  std::string out;
  while (const auto kept = gate.next(in)) out += *kept;
  EXPECT_EQ(out + std::string(in), name);
}

}  // namespace
}  // namespace holdfast::mail
