#include "common/smtp/server_states.h"

#include <gtest/gtest.h>

#include "common/base/file.h"

namespace holdfast::smtp {
namespace {

TEST(ServerStates, OnlyRowsLead) {
  EXPECT_EQ(next_state(State::kGreeted, Verb::kMail), State::kMail);
  EXPECT_EQ(next_state(State::kRcpt, Verb::kData), State::kContent);
  EXPECT_EQ(next_state(State::kContent, Verb::kDot), State::kGreeted);
  EXPECT_FALSE(next_state(State::kStart, Verb::kMail));
  EXPECT_FALSE(next_state(State::kMail, Verb::kData));
  EXPECT_FALSE(next_state(State::kMail, Verb::kMail));
  EXPECT_FALSE(next_state(State::kRefused, Verb::kNoop));
  EXPECT_FALSE(next_state(State::kClosed, Verb::kQuit));
}

TEST(ServerStates, EveryStateBetweenBannerAndEndCanQuit) {
  for (const State state : {State::kRefused, State::kStart, State::kGreeted, State::kMail, State::kRcpt}) {
    EXPECT_EQ(next_state(state, Verb::kQuit), State::kClosed) << to_text(state);
  }
}

TEST(ServerStates, TheDocumentHasTheTable) {
  const auto page = base::read_file(HOLDFAST_DOCS "/smtp-states.md");
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->ends_with("\n\n" + states_table())) << "docs/smtp-states.md must end with:\n" << states_table();
}

}  // namespace
}  // namespace holdfast::smtp
