// The table, and the files that must agree with it.
#include "common/config/settings.h"

#include <set>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/config/alert_kinds.h"
#include "common/config/show.h"
#include "common/config/web.h"
#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

const std::string kSource = HOLDFAST_SOURCE;

// A '#' and one blank begin prose; a '#' before anything else, or before an indentation, a setting.
std::string uncommented(const std::string& text) {
  std::string out;
  for (const auto line : base::split(text, '\n')) {
    const bool setting = line.starts_with('#') && (!line.starts_with("# ") || line.starts_with("#  "));
    out += setting ? line.substr(1) : line;
    out += '\n';
  }
  return out;
}

template <class Owner>
std::set<std::string> names(std::span<const Setting<Owner>> rows) {
  std::set<std::string> out;
  for (const auto& row : rows) out.emplace(row.info.name);
  return out;
}

template <class Owner>
void expect_sound(std::span<const Setting<Owner>> rows) {
  EXPECT_EQ(names(rows).size(), rows.size()) << "a name is there twice";
  Owner owner{};
  for (const auto& row : rows) {
    EXPECT_TRUE(row.info.doc.ends_with('.')) << row.info.name;
    const Slot slot = row.slot(owner);
    const bool chooses = std::holds_alternative<ChoiceSlot>(slot) || std::holds_alternative<FlagsSlot>(slot);
    EXPECT_EQ(chooses, !row.info.choices.empty()) << row.info.name;
    EXPECT_TRUE(!std::holds_alternative<int*>(slot) || row.info.range.most <= 1U << 30) << row.info.name;
  }
}

TEST(Settings, EveryRowIsSound) {
  expect_sound(global_settings());
  expect_sound(destination_settings());
  expect_sound(domain_settings());
  expect_sound(web_settings());
}

TEST(Settings, TheShippedFileAsItStandsIsMinimal) {
  const auto text = base::read_file(kSource + "/etc/gateway.yaml");
  ASSERT_TRUE(text);
  const auto c = load_text("hostname: mx.example.test\n" + *text, "gateway.yaml");
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_TRUE(c->domains.empty());
}

TEST(Settings, TheShippedFileNamesEverySettingWithItsDefault) {
  const auto text = base::read_file(kSource + "/etc/gateway.yaml");
  ASSERT_TRUE(text);
  std::string body = text->substr(text->find("\n\n"));  // behind the head's prose
  const auto c = load_text(uncommented(body), "gateway.yaml");
  ASSERT_TRUE(c) << c.error().text;
  for (const auto& setting : list(*c)) {
    const bool an_example = setting.name == "hostname" || setting.name.ends_with(".servers") || setting.name.ends_with(".destination");
    EXPECT_TRUE(setting.is_default || an_example) << setting.name << " is shown as " << setting.value;
    if (setting.name == "paths.base") continue;  // stands for the four others
    const std::string last = setting.name.substr(setting.name.rfind('.') + 1) + ":";
    EXPECT_NE(uncommented(body).find(last), std::string::npos) << setting.name << " is not in etc/gateway.yaml";
  }
}

TEST(Settings, TheDemoIsGood) {
  const auto c = load(kSource + "/etc/demo.yaml");
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_TRUE(c->warnings.empty());
  EXPECT_EQ(c->paths.base, kSource + "/build/demo");
}

TEST(Settings, TheReferenceIsInStep) {
  const auto text = base::read_file(kSource + "/docs/settings.md");
  ASSERT_TRUE(text) << text.error().text;
  EXPECT_EQ(*text, reference()) << "run `make doc`";
}

TEST(Settings, TheListOfAlertsIsInStep) {
  const auto text = base::read_file(kSource + "/docs/alerts.md");
  ASSERT_TRUE(text) << text.error().text;
  EXPECT_EQ(*text, alert_reference()) << "run `make doc`";
}

}  // namespace
}  // namespace holdfast::config
