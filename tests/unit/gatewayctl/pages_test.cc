#include "gatewayctl/pages.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include "common/config/settings.h"
#include "common/sandbox/rights.h"
#include "gatewayctl/completion.h"
#include "gatewayctl/daemon_pages.h"
#include "gatewayctl/man_page.h"

namespace holdfast::gatewayctl {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

class Pages : public ::testing::Test {
 protected:
  Pages() {
    app_.add_option("--config", config_, "the configuration");
    auto* queue = app_.add_subcommand("queue", "kept mail")->require_subcommand(1);
    auto* list = queue->add_subcommand("list", "what is kept");
    list->add_option("-l,--limit", limit_, "at most so many");
    list->add_flag("--all", all_, "everything");
    app_.add_subcommand("hidden", "")->group("");
  }

  CLI::App app_{"", "gatewayctl"};
  std::string config_, limit_;
  bool all_ = false;
};

TEST_F(Pages, EveryDaemonHasOne) {
  const auto names = page_names();
  for (const auto& rights : sandbox::all_rights()) {
    EXPECT_TRUE(std::ranges::find(names, "holdfast-" + std::string(rights.daemon) + ".8") != names.end()) << rights.daemon;
  }
  for (const auto& name : names) EXPECT_TRUE(page_text(app_, name)) << name;
}

TEST_F(Pages, ThereIsNoOther) {
  const auto page = page_text(app_, "holdfast-nobody.8");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, base::Kind::kNotFound);
}

TEST_F(Pages, TheConfigurationsHasEverySetting) {
  const std::string page = page_text(app_, "gateway.yaml.5").value();
  for (const auto& row : config::global_settings()) EXPECT_TRUE(has(page, ".SS " + groff_text(row.info.name) + "\n")) << row.info.name;
  for (const auto& row : config::destination_settings()) EXPECT_TRUE(has(page, ".SS " + groff_text(row.info.name) + "\n"));
  for (const auto& row : config::domain_settings()) EXPECT_TRUE(has(page, ".SS " + groff_text(row.info.name) + "\n"));
  EXPECT_FALSE(has(page, "do not edit"));
}

TEST_F(Pages, TheAdminsHasEveryCommandAndOption) {
  const std::string page = page_text(app_, "gatewayctl.8").value();
  EXPECT_TRUE(has(page, ".SS queue list\n.PP\nWhat is kept.\n"));
  EXPECT_TRUE(has(page, "\\fB\\-\\-all\\fR\neverything\n"));
  EXPECT_FALSE(has(page, "hidden"));
}

TEST_F(Pages, ADaemonsTellsWhatItMayDo) {
  const std::string page = page_text(app_, "holdfast-qmgr.8").value();
  EXPECT_TRUE(has(page, "\\fBspool\\fR: reads and writes\n"));
  EXPECT_TRUE(has(page, "Network: none."));
}

TEST_F(Pages, CompletionKnowsCommandsOptionsAndWhichTakeAValue) {
  const std::string script = bash_completion(app_);
  EXPECT_TRUE(has(script, "'') commands='queue' flags='-h --help --config' options=' --config '"));
  EXPECT_TRUE(has(script, "'queue list') commands='' flags='-h --help -l --limit --all' options=' -l --limit '"));
  EXPECT_FALSE(has(script, "hidden"));
}

}  // namespace
}  // namespace holdfast::gatewayctl
