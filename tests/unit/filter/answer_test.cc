#include "filter/answer.h"

#include <gtest/gtest.h>

namespace holdfast::filter {
namespace {

TEST(Answer, IsOfWhatWeighsMost) {
  Report r{{{Rule::kEncrypted, Action::kQuarantine, "q"}, {Rule::kName, Action::kReject, "100%"}, {Rule::kUrl, Action::kReject, "u"}}};
  EXPECT_EQ(answer_to(r).action, Action::kReject);
  EXPECT_EQ(answer_to(r).text, "100%%");
  EXPECT_EQ(log_text(r), "content=reject, rule=name, 100%; content=reject, rule=url, u; content=quarantine, rule=encrypted, q");
}

TEST(Answer, IsNoneWhereNothingWasFound) { EXPECT_EQ(answer_to({}).action, Action::kPass); }

TEST(Answer, TheLogIsBounded) {
  Report r;
  for (int i = 0; i < 8; ++i) r.findings.push_back({Rule::kName, Action::kHeader, "x"});
  EXPECT_TRUE(log_text(r).ends_with("; and 3 more"));
}

}  // namespace
}  // namespace holdfast::filter
