#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/storage/content.h"
#include "gatewayctl/import_files.h"
#include "gatewayctl/message_files.h"
#include "tests/unit/storage/support.h"

namespace holdfast::gatewayctl {
namespace {

namespace test = storage::test;

struct Kept {
  storage::Listed item;
  mail::Envelope envelope;
};

Kept kept() {
  Kept out;
  auto& e = out.envelope;
  e.sender = "a@s.test";
  e.recipients = {{.address = "x@d.test", .orcpt = "rfc822;x@d.test", .notify = "NEVER", .known = true},
                  {.address = "y@d.test", .orcpt = {}, .notify = {}, .known = false},
                  {.address = "z@d.test", .orcpt = {}, .notify = {}, .known = true}};
  e.destination = "office";
  e.arrival_ms = 1'700'000'000'123;
  e.client_address = "192.0.2.1";
  e.client_port = 40000;
  e.client_name = "h.s.test";
  e.helo = "h";
  e.protocol = "ESMTP";
  e.body = mail::Body::k8BitMime;
  e.ret = "FULL";
  e.envid = "e+2B1";
  e.verdict = "ham";
  e.unfiltered = true;
  e.message_id = "<1@s.test>";
  auto& m = out.item.message;
  out.item.id = {0x10000000005};
  m.sender = e.sender;
  m.destination = e.destination;
  m.arrival_ms = e.arrival_ms;
  m.expires_ms = 1'800'000'000'000;
  for (const auto& r : e.recipients)
    out.item.recipients.push_back({.address = r.address, .known = r.known, .reply = {}, .dsn = {}});
  out.item.recipients[1].status = storage::RecipientStatus::kSent;
  return out;
}

TEST(Description, ComesBackWithTheOpenRecipients) {
  const auto k = kept();
  const auto back = parse_description(description_of(k.item, k.envelope, 77, "mx.test"));
  ASSERT_TRUE(back) << back.error().text;
  auto expected = k.envelope;
  expected.recipients.erase(expected.recipients.begin() + 1);
  expected.expires_ms = k.item.message.expires_ms;
  EXPECT_EQ(back->envelope, expected);
  EXPECT_EQ(back->eml_bytes, 77U);
}

TEST(Description, WhatWasHeldOrFrozenIsHeldAgain) {
  auto k = kept();
  k.item.message.state = storage::MessageState::kFrozen;
  k.item.message.reason = "its one attempt failed";
  EXPECT_EQ(parse_description(description_of(k.item, k.envelope, 1, "mx"))->envelope.hold,
            "imported, was frozen: its one attempt failed");
}

TEST(Description, NothingInItIsBelieved) {
  const auto k = kept();
  const auto good = description_of(k.item, k.envelope, 77, "mx.test");
  const auto with = [&](const std::string& what, const std::string& instead) {
    auto out = good;
    const auto at = out.find(what);
    EXPECT_NE(at, out.npos) << what;
    return out.replace(at, what.size(), instead);
  };
  for (const auto& bad :
       {std::string(), std::string("[]"), std::string("{}"), with("\"format\": 1", "\"format\": 2"),
        with("\"a@s.test\"", "\"a@s.test\\r\\nDATA\""), with("\"a@s.test\"", "5"),
        with("\"a@s.test\"", "\"no address\""), with("\"x@d.test\"", "\"\""), with("40000", "70000"),
        with("\"arrival_ms\": 1", "\"arrival_ms\": -1"), with("\"unfiltered\": true", "\"unfiltered\": 1"),
        with("\"recipients\": [", "\"recipients\": [7, ")}) {
    const auto parsed = parse_description(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().kind, base::Kind::kData);
  }
}

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.hostname = "mx.test";
    config_.paths.spool = folder_.path();
    for (const auto* name : {"office", "other"}) {
      config::Destination d{.name = name};
      d.schedule = {{.until = base::Seconds{86400}, .every = base::Seconds{900}, .start = {}, .factor = 1}};
      config_.destinations[name] = d;
    }
    config_.domains["d.test"] = {.name = "d.test", .destination = "office"};
  }
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static std::string text_of(const storage::Content& content) {
    storage::ContentReader reader(content);
    std::string out;
    for (auto piece = reader.next(); piece && !piece->empty(); piece = reader.next()) out += *piece;
    return out;
  }

  test::Folder folder_;
  config::Config config_;
  static constexpr std::int64_t kNow = 1'700'000'100'000;
};

TEST_F(FilesTest, AnyEmlWithWords) {
  const auto eml = write("a.eml", "Message-ID: <m@x>\nSubject: x\n\n.dot\n\xC3\xA4\n");
  EXPECT_EQ(read_import(config_, {}, eml, {5}, kNow).error().kind, base::Kind::kUsage) << "to whom?";
  ImportWords words;
  words.recipients = {"u@d.test"};
  words.sender = "<>";
  words.hold = true;
  const auto import = read_import(config_, words, eml, {5}, kNow);
  ASSERT_TRUE(import) << import.error().text;
  const auto& e = import->envelope;
  EXPECT_EQ(e.sender, "");
  EXPECT_EQ(e.destination, "office");
  EXPECT_EQ(e.arrival_ms, kNow);
  EXPECT_EQ(e.message_id, "<m@x>");
  EXPECT_EQ(e.body, mail::Body::k8BitMime);
  EXPECT_EQ(e.hold, "imported with --hold");
  const auto text = text_of(import->content);
  EXPECT_TRUE(text.starts_with("Received: by mx.test")) << text;
  EXPECT_TRUE(text.ends_with("Message-ID: <m@x>\r\nSubject: x\r\n\r\n..dot\r\n\xC3\xA4\r\n")) << text;
  words.recipients = {"u@elsewhere.test"};
  EXPECT_EQ(read_import(config_, words, eml, {5}, kNow).error().kind, base::Kind::kData);
  words.destination = "other";
  EXPECT_EQ(read_import(config_, words, eml, {5}, kNow)->envelope.destination, "other");
  words.destination = "nowhere";
  EXPECT_EQ(read_import(config_, words, eml, {5}, kNow).error().kind, base::Kind::kUsage);
}

TEST_F(FilesTest, WhatWasExportedKeepsItsTimes) {
  const auto k = kept();
  const std::string plain = "Subject: x\r\n\r\n.\r\n";
  const auto eml = write("a.eml", plain);
  write("a.json", description_of(k.item, k.envelope, plain.size(), "mx"));
  const auto import = read_import(config_, {}, eml, {5}, kNow);
  ASSERT_TRUE(import) << import.error().text;
  EXPECT_EQ(import->envelope.arrival_ms, k.envelope.arrival_ms);
  EXPECT_EQ(import->envelope.expires_ms, k.item.message.expires_ms);
  EXPECT_EQ(text_of(import->content), "Subject: x\r\n\r\n..\r\n") << "byte for byte, but stuffed";
  const auto later = k.item.message.expires_ms + 1000;
  EXPECT_EQ(read_import(config_, {}, eml, {5}, later)->envelope.expires_ms, later + 86'400'000)
      << "not given up the moment it comes";
  write("a.eml", plain + "x");
  EXPECT_EQ(read_import(config_, {}, eml, {5}, kNow).error().kind, base::Kind::kData)
      << "another file than was exported";
}

TEST_F(FilesTest, FoldersAndFilesAreFound) {
  const auto a = write("a.eml", ""), b = write("b.eml", "");
  write("a.json", "");
  EXPECT_EQ(*find_eml_files({folder_.path(), a}), (std::vector<std::string>{a, b}));
  EXPECT_EQ(find_eml_files({folder_.path() + "/none"}).error().kind, base::Kind::kNotFound);
  EXPECT_EQ(find_eml_files({folder_.path() + "/a.json"}).error().kind, base::Kind::kUsage);
}

}  // namespace
}  // namespace holdfast::gatewayctl
