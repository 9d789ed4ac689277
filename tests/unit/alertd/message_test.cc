#include "alertd/message.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "alertd/words.h"
#include "common/base/text.h"

namespace holdfast::alertd {
namespace {

using nlohmann::json;

constexpr std::int64_t kNow = 1'795'339'013'000;

Notice notice(What what = What::kOpened) {
  Alert a;
  a.id = 17;
  a.kind = "destination_down";
  a.subject = "office";
  a.cause = "said \"no\" <b>&c";
  a.opened_ms = a.first_ms = kNow - 1000;
  a.closed_ms = what == What::kCleared ? kNow : 0;
  a.count = 1;
  auto n = notice_of(a, what, {.host = "mx.example.test", .held = Held{.messages = 3, .bytes = 99, .oldest_ms = 0, .expires_ms = 0}, .lifetime_ms = 0, .repeat_ms = 0}, kNow);
  n.id = 5;
  return n;
}

const MailHeads kHeads{.from = "holdfast@mx.example.test", .to = "admin@elsewhere.test", .host = "mx.example.test"};

TEST(MailText, IsAWellFormedMessage) {
  const auto text = mail_text(notice(), kHeads);
  for (const char* head : {"From: Holdfast <holdfast@mx.example.test>\r\n", "To: <admin@elsewhere.test>\r\n",
                           "Subject: [Holdfast mx.example.test] office is down\r\n", "\r\nDate: ", "\r\nMessage-ID: <",
                           "\r\nAuto-Submitted: auto-generated\r\n", "\r\nMIME-Version: 1.0\r\n", "\r\nImportance: high\r\n"}) {
    EXPECT_NE(text.find(head), std::string::npos) << head << text;
  }
  EXPECT_EQ(text.find("In-Reply-To"), std::string::npos);
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) EXPECT_EQ(text[at - 1], '\r');
  EXPECT_TRUE(text.ends_with("\r\n"));
  EXPECT_FALSE(text.ends_with("\r\n\r\n"));
  for (const auto line : base::split(text, '\n')) EXPECT_LE(line.size(), 998U);
}

TEST(MailText, NoticesOfOneAlertAreOneThread) {
  const auto first = mail_text(notice(), kHeads), last = mail_text(notice(What::kCleared), kHeads);
  const std::string thread = "References: <alert-17-destination_down@mx.example.test>\r\n";
  EXPECT_NE(first.find(thread), std::string::npos);
  EXPECT_NE(last.find(thread), std::string::npos);
  EXPECT_NE(last.find("In-Reply-To: <alert-17-destination_down@mx.example.test>\r\n"), std::string::npos);
  EXPECT_EQ(mail_text(notice(), kHeads), first) << "a second try is the same message";
}

TEST(MailText, CutsLinesThatAreTooLong) {
  auto n = notice();
  n.text = std::string(5000, 'x') + "\nend\n";
  const auto text = mail_text(n, kHeads);
  for (const auto line : base::split(text, '\n')) EXPECT_LE(line.size(), 998U);
  EXPECT_NE(text.find("x\r\nend\r\n"), std::string::npos);
}

TEST(Template, IsFilledAndEscaped) {
  const std::vector<Fact> facts{{"text", "a \"b\"\nc\\d"}, {"kind", "held"}};
  EXPECT_EQ(fill_template(R"({"t": "{{text}}", "k": {{ kind_json }}})", facts), R"({"t": "a \"b\"\nc\\d", "k": "held"})");
  EXPECT_EQ(fill_template("{{unknown}} {{kind", facts), "{{unknown}} {{kind") << "what is none stays";
  EXPECT_EQ(fill_template("", facts), "");
}

TEST(WebBody, EachFormatIsWhatItsReceiverWants) {
  const auto slack = web_body(notice(), {.url = "https://x.test", .format = "slack"}, 0);
  EXPECT_NE(json::parse(slack.content)["text"].get<std::string>().find("&lt;b&gt;&amp;c"), std::string::npos);
  const auto ntfy = web_body(notice(), {.url = "https://x.test", .format = "ntfy"}, 0);
  EXPECT_EQ(ntfy.content, notice().text);
  EXPECT_EQ(ntfy.headers.front(), "Title: [Holdfast mx.example.test] office is down");
  const auto plain = json::parse(web_body(notice(), {.url = "https://x.test", .format = "json"}, 0).content);
  EXPECT_EQ(plain["subject"], "office");
  EXPECT_EQ(plain["held"], 3);
  EXPECT_EQ(plain["id"], 5);
  const auto own = web_body(notice(), {.url = "https://x.test", .format = "template", .body = "{{kind}} {{id}}", .content_type = "text/plain"}, 0);
  EXPECT_EQ(own.content, "destination_down 5");
  EXPECT_EQ(own.content_type, "text/plain");
}

TEST(WebBody, AlertmanagerHearsOfTheEnd) {
  const config::Webhook hook{.url = "https://x.test", .format = "alertmanager"};
  const auto open = json::parse(web_body(notice(), hook, 3'600'000).content);
  ASSERT_TRUE(open.is_array());
  EXPECT_EQ(open[0]["labels"]["alertname"], "destination_down");
  EXPECT_EQ(open[0]["labels"]["subject"], "office");
  EXPECT_EQ(open[0]["endsAt"], base::iso8601(base::from_millis(kNow + 7'200'000)));
  const auto over = json::parse(web_body(notice(What::kCleared), hook, 3'600'000).content);
  EXPECT_EQ(over[0]["endsAt"], base::iso8601(base::from_millis(kNow)));
  EXPECT_EQ(over[0]["labels"], open[0]["labels"]) << "or it would be another alert";
}

TEST(Facts, AsJson) { EXPECT_EQ(json::parse(facts_json(notice()))["cause"], "said \"no\" <b>&c"); }

}  // namespace
}  // namespace holdfast::alertd
