#include "common/smtp/server_states.h"

#include <gtest/gtest.h>

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

TEST(ServerStates, TableForDocs) {
  const std::string table = states_table();
  EXPECT_TRUE(table.starts_with("| state | command | next state |\n|---|---|---|\n| connect | banner | start |\n")) << table;
  EXPECT_NE(table.find("| content | end of DATA | greeted |\n"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::smtp
