#include "import/write_yaml.h"

#include <gtest/gtest.h>

#include "common/config/load.h"

namespace holdfast::importer {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

Found example() {
  Found out;
  out.source = "somewhere";
  out.settings = {{"hostname", "mx.test"}, {"smtpd.max_clients", "10"}, {"smtpd.per_client.connections", "9"}};
  out.of_servers = {{"tls.policy", "encrypt"}};
  out.domains["a.test"] = {.target = {.servers = {"mail.x.test:25"}}, .recipients = {"one", "two"}};
  out.domains["b.test"] = {.target = {.servers = {"mail.x.test:25"}}, .any_recipient = true};
  out.domains["c.test"] = {.target = {.servers = {"mail.y.test:26", "10.0.0.5:25"}}, .checks = {"look at c"}};
  out.domains["d.test"] = {.target = {.mx = true, .mx_port = 26}};
  out.domains["e.test"] = {.target = {.servers = {"10.0.0.9:24"}, .lmtp = true}};
  out.checks = {"look at all"};
  out.left = {"a thing\nwith a line end"};
  return out;
}

TEST(WriteYaml, IsAGoodConfiguration) {
  const auto written = write_yaml(example(), "");
  const auto config = config::load_text(written.yaml, "made.yaml");
  ASSERT_TRUE(config) << config.error().text << written.yaml;
  EXPECT_EQ(config->domains.at("a.test").destination, config->domains.at("b.test").destination);
  EXPECT_EQ(config->domains.at("a.test").destination, "mail");
  EXPECT_EQ(config->domains.at("c.test").destination, "mail-2");
  EXPECT_TRUE(config->destinations.at(config->domains.at("d.test").destination).mx);
  EXPECT_EQ(config->destinations.at("server").protocol, "lmtp");
  EXPECT_EQ(config->destinations.at("mail").tls.policy, "encrypt");
  EXPECT_EQ(config->smtpd.max_clients, 10);
  EXPECT_TRUE(written.files.empty());
}

TEST(WriteYaml, SaysWhatIsToBeCheckedAndWhatIsLeft) {
  const std::string yaml = write_yaml(example(), "").yaml;
  EXPECT_TRUE(has(yaml, "# CHECK: look at all\n"));
  EXPECT_TRUE(has(yaml, "  # CHECK: look at c\n  c.test:\n"));
  EXPECT_TRUE(has(yaml, "# Not taken over:\n# - a thing\\x0Awith a line end\n")) << yaml;
}

TEST(WriteYaml, PutsManyRecipientsIntoFiles) {
  Found found = example();
  for (int i = 0; i < 100; ++i) found.domains["a.test"].recipients.push_back("user" + std::to_string(i));
  const auto written = write_yaml(found, "/folder");
  EXPECT_TRUE(has(written.yaml, "    local_recipients: /folder/a.test\n"));
  ASSERT_EQ(written.files.size(), 1U);
  EXPECT_TRUE(written.files.at("/folder/a.test").starts_with("one\ntwo\nuser0\n"));
  const auto inline_config = config::load_text(write_yaml(found, "").yaml, "made.yaml");
  ASSERT_TRUE(inline_config);
  EXPECT_EQ(inline_config->domains.at("a.test").local_recipients.size(), 102U);
}

TEST(WriteYaml, SaysSoWhenThereIsNothing) {
  Found found;
  found.source = "x";
  const std::string yaml = write_yaml(found, "").yaml;
  EXPECT_TRUE(has(yaml, "# No domain was found"));
  EXPECT_TRUE(config::load_text(yaml, "made.yaml"));
}

}  // namespace
}  // namespace holdfast::importer
