#include "common/milter/negotiation.h"

#include <gtest/gtest.h>

#include "tests/unit/milter/packets.h"

namespace holdfast::milter {
namespace {

std::string answer_of(std::uint32_t version, std::uint32_t actions, std::uint32_t steps) {
  return number(version) + number(actions) + number(steps);
}

TEST(Negotiation, OffersAllThatWeCan) { EXPECT_EQ(offer(), answer_of(6, 0x1FF, 0x1FF7FF)); }

TEST(Negotiation, TakesWhatTheFilterChooses) {
  const auto terms = parse_terms(answer_of(6, action::kAddHeaders, 0x2 | 0x80 | step::kLeadingSpace));
  ASSERT_TRUE(terms);
  EXPECT_TRUE(terms->may(action::kAddHeaders));
  EXPECT_FALSE(terms->may(action::kChangeBody));
  EXPECT_FALSE(terms->wants(Stage::kHelo));
  EXPECT_TRUE(terms->wants(Stage::kMail));
  EXPECT_TRUE(terms->wants(Stage::kEndOfMessage));
  EXPECT_FALSE(terms->answers(Stage::kHeader));
  EXPECT_TRUE(terms->answers(Stage::kEndOfMessage));
  EXPECT_TRUE(terms->leading_space());
}

TEST(Negotiation, OfVersion2KnowsNoData) {
  const auto terms = parse_terms(answer_of(2, 0x3F, 0));
  ASSERT_TRUE(terms);
  EXPECT_FALSE(terms->wants(Stage::kData));
  EXPECT_TRUE(terms->wants(Stage::kBody));
}

TEST(Negotiation, WithListsOfMacros) {
  const auto terms = parse_terms(answer_of(6, action::kChooseMacros, 0) + number(2) + texts({"i, {auth_type}  j"}) + number(5) +
                                 texts({""}));
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->macros[static_cast<std::size_t>(Stage::kMail)], (std::vector<std::string>{"i", "{auth_type}", "j"}));
  EXPECT_EQ(terms->macros[static_cast<std::size_t>(Stage::kEndOfMessage)], std::vector<std::string>{});
  EXPECT_FALSE(terms->macros[static_cast<std::size_t>(Stage::kConnect)]);
}

TEST(Negotiation, RefusesWhatWasNotOffered) {
  const std::string good = answer_of(6, 0, 0);
  for (const std::string& data : {std::string(), good.substr(0, 11), answer_of(1, 0, 0), answer_of(7, 0, 0), answer_of(6, 0x200, 0),
                                  answer_of(6, 0, 0x800), answer_of(2, 0x40, 0), answer_of(2, 0, 0x80), good + number(7) + texts({"i"}),
                                  good + number(0), good + number(0) + "i"}) {
    EXPECT_FALSE(parse_terms(data)) << data.size();
  }
  EXPECT_TRUE(parse_terms(good));
}

}  // namespace
}  // namespace holdfast::milter
