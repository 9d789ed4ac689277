// Lists, DNS block lists and greylisting as they are configured.
#include <algorithm>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/config/compile_lists.h"
#include "common/config/security.h"
#include "common/config/show.h"
#include "common/config/web.h"
#include "tests/unit/config/texts.h"
#include "tests/unit/in_folder.h"

namespace holdfast::config {
namespace {

class AdmissionTest : public test::InFolder {
 protected:
  void write(const std::string& name, const std::string& text) const { ASSERT_TRUE(base::replace_file(root_ + "/" + name, text)); }
  base::Result<Config> loaded(Files files) const { return load(root_ + "/gateway.yaml", files); }
};

TEST_F(AdmissionTest, EntriesStandInTheFileOrInOthers) {
  write("gateway.yaml", kMinimal +
                            "lists:\n"
                            "  client:\n"
                            "    block:\n"
                            "      - 192.0.2.0/24\n"
                            "      - {file: bad-clients}\n"
                            "  sender: {allow: good-senders}\n");
  write("bad-clients", "# from elsewhere\n\n198.51.100.7  # since May\n/^dyn#[0-9]/\n");
  write("good-senders", "a#b@s.example\n");
  const auto c = loaded(Files::kCheck);
  ASSERT_TRUE(c) << c.error().text;
  const auto lists = compile_lists(c->lists);
  ASSERT_TRUE(lists) << lists.error().text;
  EXPECT_EQ(lists->size(), 4u);
  const auto inline_one = lists->client_matches(base::IpAddress::parse("192.0.2.9"), "");
  ASSERT_EQ(inline_one.size(), 1u);
  EXPECT_EQ(inline_one[0].place, root_ + "/gateway.yaml:9");
  const auto of_file = lists->client_matches(base::IpAddress::parse("198.51.100.7"), "");
  ASSERT_EQ(of_file.size(), 1u);
  EXPECT_EQ(of_file[0].place, root_ + "/bad-clients:3");
  EXPECT_EQ(lists->matches(policy::ListKind::kSender, "a#b@s.example").size(), 1u);
  const auto handed = secret_files(*c, Reader::kSmtpd);
  EXPECT_EQ(std::ranges::count(handed, root_ + "/bad-clients"), 1) << "master hands it to smtpd";
  EXPECT_EQ(std::ranges::count(secret_files(*c, Reader::kRoads), root_ + "/bad-clients"), 0);
}

TEST_F(AdmissionTest, ABadLineIsNamedByFileAndLine) {
  write("gateway.yaml", kMinimal + "lists: {helo: {block: [{file: names}]}, recipient: {allow: missing}}\n");
  write("names", "good.example\nbad name\n");
  const auto c = loaded(Files::kCheck);
  ASSERT_FALSE(c);
  EXPECT_NE(c.error().text.find(root_ + "/names:2: lists.helo.block: 'bad name' has a blank"), std::string::npos) << c.error().text;
  EXPECT_NE(c.error().text.find(root_ + "/gateway.yaml:6: "), std::string::npos) << c.error().text;
  EXPECT_TRUE(loaded(Files::kSkip)) << "files are read where they are asked for";
}

TEST_F(AdmissionTest, SendersAllowedFromTheQuarantineAreReadBesides) {
  write("gateway.yaml", kMinimal + "paths: {base: '" + root_ + "'}\nlists: {sender: {block: [example.org]}}\n");
  EXPECT_TRUE(loaded(Files::kCheck)->lists.sender.allow.empty()) << "there is none yet";
  const auto file = allowed_senders_file(loaded(Files::kSkip)->paths);
  ASSERT_TRUE(base::make_folders(file.substr(0, file.rfind('/'))));
  ASSERT_TRUE(base::replace_file(file, "# head\nfriend@example.org # by root, today\n"));
  const auto c = loaded(Files::kCheck);
  ASSERT_TRUE(c) << c.error().text;
  ASSERT_EQ(c->lists.sender.allow.size(), 1u);
  const auto found = compile_lists(c->lists)->matches(policy::ListKind::kSender, "friend@example.org");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0].allow || found[1].allow);
  EXPECT_EQ(std::ranges::count(secret_files(*c, Reader::kSmtpd), file), 1) << "master hands it to smtpd";
  const auto again = load_text(show(*c, Style::kSelfContained), "running.yaml");
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->lists.sender.allow.size(), 1u) << "daemons read it once";
}

TEST_F(AdmissionTest, WhatIsShownIsReadAgain) {
  const auto c = good(kMinimal +
                      "lists: {client: {block: [\"/a\\\\.b/\", {file: /x/y}]}}\n"
                      "dnsbl: {zones: [Zen.Example.test, {zone: good.test, weight: -2, answers: \"127.0.0.2..11\"}], threshold: 1}\n");
  const auto again = load_text(show(c, Style::kSelfContained), "again.yaml");
  ASSERT_TRUE(again) << again.error().text;
  ASSERT_EQ(again->lists.client.block.size(), 2u);
  EXPECT_EQ(again->lists.client.block[0].text, "/a\\.b/");
  EXPECT_EQ(again->lists.client.block[1].file, "/x/y");
  EXPECT_EQ(again->dnsbl.zones, c.dnsbl.zones);
  EXPECT_EQ(c.dnsbl.zones[0].zone, "zen.example.test");
  EXPECT_EQ(c.dnsbl.zones[1].weight, -2);
  EXPECT_TRUE(difference(c, *again).empty());
}

TEST_F(AdmissionTest, FaultsOfEntriesAndZones) {
  EXPECT_NE(faults_of(kMinimal + "lists: {client: {block: [10.0.0.1/8]}}\n").find("g.yaml:6: lists.client.block: '10.0.0.1/8' is no network"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "lists: {client: {block: [{fil: x}]}}\n").find("an entry or {file: NAME}"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "lists: {clients: {block: []}}\n").find("unknown setting 'lists.clients'"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "dnsbl: {zones: [{weight: 2}]}\n").find("each must be {zone: NAME"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "dnsbl: {zones: [{zone: a.test, weight: 0}]}\n").find("'0' is no weight"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "dnsbl: {zones: [{zone: a.test, answers: 1.2}]}\n").find("no answer such as"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "dnsbl: {zones: [{zone: a.test, wait: 2}]}\n").find("unknown 'wait' in a zone"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "dnsbl: {zones: [a.test, a.test]}\n").find("a.test is there twice"), std::string::npos);
  EXPECT_NE(faults_of(kMinimal + "greylist: {delay: 2h, window: 1h}\n").find("must be longer than greylist.delay"), std::string::npos);
}

TEST_F(AdmissionTest, NothingAsksUnlessSomethingIsSaid) {
  const auto plain = good(kMinimal);
  EXPECT_FALSE(plain.screens(plain.domains.at("example.test")));
  const auto grey = good(kMinimal + "  other.test: {destination: office, greylist: true}\n");
  EXPECT_TRUE(grey.screens(grey.domains.at("other.test")));
  EXPECT_FALSE(grey.screens(grey.domains.at("example.test")));
  const auto all = good(kMinimal + "dnsbl: {zones: [a.test]}\n");
  EXPECT_TRUE(all.screens(all.domains.at("example.test")));
}

TEST_F(AdmissionTest, WarnsOfWeightsThatAreNeverEnough) {
  const auto c = good(kMinimal + "dnsbl: {zones: [a.test], threshold: 3}\n");
  ASSERT_EQ(c.warnings.size(), 1u);
  EXPECT_NE(c.warnings[0].find("nobody will be refused"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::config
