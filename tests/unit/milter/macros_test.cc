#include "common/milter/macros.h"

#include <gtest/gtest.h>

#include "tests/unit/milter/packets.h"

namespace holdfast::milter {
namespace {

TEST(Macros, TheUsualOnesOfAStageThatHaveAValue) {
  Macros macros;
  macros.set("i", "30000000001");
  macros.set("j", "mx.example");
  macros.set("{auth_authen}", "alice");
  EXPECT_EQ(macros_for(Stage::kConnect, macros, {}), texts({"j", "mx.example"}));
  EXPECT_EQ(macros_for(Stage::kMail, macros, {}), texts({"i", "30000000001", "{auth_authen}", "alice"}));
  EXPECT_EQ(macros_for(Stage::kHelo, macros, {}), "");
}

TEST(Macros, ThoseTheFilterAskedFor) {
  Macros macros;
  macros.set("i", "1");
  macros.set("j", "mx.example");
  Terms terms;
  terms.macros[static_cast<std::size_t>(Stage::kMail)] = std::vector<std::string>{"j", "{unknown}"};
  terms.macros[static_cast<std::size_t>(Stage::kRcpt)] = std::vector<std::string>{};
  EXPECT_EQ(macros_for(Stage::kMail, macros, terms), texts({"j", "mx.example"}));
  EXPECT_EQ(macros_for(Stage::kRcpt, macros, terms), "");
  EXPECT_EQ(macros_for(Stage::kData, macros, terms), texts({"i", "1"}));
}

TEST(Macros, AnEmptyValueTakesOneAway) {
  Macros macros;
  macros.set("i", "1");
  macros.set("i", "");
  EXPECT_EQ(macros.find("i"), nullptr);
  macros.set("i", "");
  EXPECT_EQ(macros.find("i"), nullptr);
}

}  // namespace
}  // namespace holdfast::milter
