#include <gtest/gtest.h>

#include "common/destination/dest_test.h"
#include "gatewayctl/domain_check.h"

namespace holdfast::gatewayctl {
namespace {

using Result = Finding::Result;
namespace judge = destination::judge;

mail::Reply reply(int code, std::string enhanced = "", std::string text = "words") { return mail::Reply::make(code, std::move(enhanced), std::move(text)); }

TEST(DestTest, AnswersAreJudged) {
  EXPECT_EQ(judge::postmaster(reply(250)).result, Result::kPass);
  EXPECT_EQ(judge::postmaster(reply(550)).result, Result::kFail);
  EXPECT_EQ(judge::null_sender(reply(250)).result, Result::kPass);
  EXPECT_EQ(judge::null_sender(reply(553)).result, Result::kFail);
  EXPECT_EQ(judge::random_recipient(reply(550, "5.1.1")).result, Result::kPass);
  EXPECT_EQ(judge::random_recipient(reply(250)).result, Result::kWarn);
  EXPECT_EQ(judge::random_recipient(reply(450)).result, Result::kWarn);
  EXPECT_EQ(judge::relaying(reply(554, "5.7.1")).result, Result::kPass);
  EXPECT_EQ(judge::relaying(reply(450)).result, Result::kPass);
  EXPECT_EQ(judge::relaying(reply(250)).result, Result::kWarn);
}

TEST(DestTest, GreylistingIsSeenByItsCodeOrItsWords) {
  EXPECT_TRUE(judge::is_greylisting(reply(450, "4.7.1")));
  EXPECT_TRUE(judge::is_greylisting(reply(451, "4.3.0", "Greylisted, see you")));
  EXPECT_FALSE(judge::is_greylisting(reply(451, "4.3.0")));
  EXPECT_FALSE(judge::is_greylisting(reply(550, "5.7.1", "greylist")));
  EXPECT_EQ(judge::greylisting(mail::Reply{}).result, Result::kPass);
  EXPECT_EQ(judge::greylisting(reply(450, "4.7.1")).result, Result::kFail);
}

TEST(DestTest, ARefusedForeignSenderBringsTheSnippetThatMendsIt) {
  EXPECT_EQ(judge::foreign_sender(reply(250), "192.0.2.1").result, Result::kPass);
  EXPECT_EQ(judge::foreign_sender(reply(450, "4.7.1"), "192.0.2.1").result, Result::kPass) << "that is greylisting's";
  const auto finding = judge::foreign_sender(reply(550, "5.7.23", "SPF fail"), "192.0.2.1");
  EXPECT_EQ(finding.result, Result::kFail);
  EXPECT_NE(finding.text.find("mynetworks = 192.0.2.1/32"), std::string::npos) << finding.text;
  EXPECT_NE(finding.text.find("SPF fail"), std::string::npos);
}

MxHost host(std::uint16_t preference, const std::string& name, std::vector<std::string> addresses, bool ours = false) {
  MxHost out{.mx = {preference, name}, .addresses = {}, .ours = ours};
  for (const auto& address : addresses) out.addresses.push_back(*net::SocketAddress::ip(address, 25));
  return out;
}

std::string results(const std::vector<MxHost>& hosts) {
  dns::Answer<dns::Mx> answer{.status = dns::Status::kFound};
  std::string out;
  for (const auto& f : judge_mx(answer, hosts, "mx.example.test")) out += std::string(out.empty() ? "" : " ") + f.step + ":" + std::string(to_text(f.result));
  return out;
}

TEST(DomainCheck, TwoSitesOfWhichOneIsOurs) {
  EXPECT_EQ(results({host(10, "a.test", {"192.0.2.1"}), host(20, "mx.example.test", {"198.51.100.1"}, true)}),
            "MX:pass this host:pass addresses:pass two sites:pass");
}

TEST(DomainCheck, OneSiteIsAWarningOnly) {
  EXPECT_EQ(results({host(10, "mx.example.test", {"192.0.2.1"}, true)}), "MX:pass this host:pass addresses:pass two sites:warn");
  EXPECT_EQ(results({host(10, "a.test", {"192.0.2.1"}), host(20, "mx.example.test", {"192.0.2.7"}, true)}),
            "MX:pass this host:pass addresses:pass two sites:warn") << "one network";
  EXPECT_EQ(results({host(10, "a.test", {"2001:db8:1::1"}), host(20, "mx.example.test", {"2001:db8:2::1"}, true)}),
            "MX:pass this host:pass addresses:pass two sites:pass");
}

TEST(DomainCheck, NotOursAndNotResolvable) {
  EXPECT_EQ(results({host(10, "a.test", {"192.0.2.1"}), host(20, "b.test", {})}), "MX:pass this host:fail addresses:warn two sites:warn");
  EXPECT_EQ(results({host(10, "mx.example.test", {}, true)}), "MX:pass this host:pass addresses:fail two sites:warn");
}

TEST(DomainCheck, NoRecords) {
  EXPECT_EQ(results({}), "MX:fail");
  EXPECT_EQ(results({host(0, "", {})}), "MX:fail") << "RFC 7505";
  dns::Answer<dns::Mx> failed{.status = dns::Status::kFailed, .why = "SERVFAIL"};
  EXPECT_NE(judge_mx(failed, {}, "x").front().text.find("SERVFAIL"), std::string::npos);
  dns::Answer<dns::Mx> none{.status = dns::Status::kNoName};
  EXPECT_EQ(judge_mx(none, {}, "x").front().result, Result::kFail);
}

TEST(DomainCheck, SaysWhetherWeAreTheFirst) {
  dns::Answer<dns::Mx> answer{.status = dns::Status::kFound};
  const auto second = judge_mx(answer, {host(10, "a.test", {}), host(20, "mx.example.test", {}, true)}, "mx.example.test");
  EXPECT_NE(second[1].text.find("after others"), std::string::npos);
  const auto first = judge_mx(answer, {host(10, "mx.example.test", {}, true), host(20, "b.test", {})}, "mx.example.test");
  EXPECT_NE(first[1].text.find("first"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::gatewayctl
