#include "common/destination/security.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "common/destination/pool_options.h"
#include "tests/unit/net/certificates.h"

namespace holdfast::destination {
namespace {

using upstream::Security;

struct SecurityOf : testing::Test {
  net::Certificates certificates;
  config::Destination office{.name = "office", .servers = {{"10.0.0.5", 25}}};
};

TEST_F(SecurityOf, FollowsThePolicy) {
  EXPECT_EQ(security_of(office)->tls, Security::Tls::kMay);
  office.tls.policy = "off";
  EXPECT_EQ(security_of(office), nullptr);
  for (const char* policy : {"encrypt", "verify"}) {
    office.tls.policy = policy;
    EXPECT_EQ(security_of(office)->tls, Security::Tls::kMust) << policy;
    EXPECT_EQ(security_of(office)->fault, "");
  }
}

TEST_F(SecurityOf, NeverFallsBackFromWhatMustBe) {
  office.tls.policy = "verify";
  office.tls.ca_file = "/nonexistent/ca.pem";
  EXPECT_NE(security_of(office)->fault.find("/nonexistent/ca.pem"), std::string::npos);
  office.tls = {};
  office.tls.own = {"/nonexistent/c.pem", "/nonexistent/k.pem"};
  const auto may = security_of(office);
  EXPECT_EQ(may->fault, "");
  EXPECT_NE(may->client, nullptr);
}

TEST_F(SecurityOf, RecordsThatNobodyCanUseTakeNothingFromThePolicy) {
  dns::MailServer server{.host = "a.example.test"};
  server.dane = {.rule = dns::Dane::Rule::kEncrypt, .base = "b.example.test"};
  for (const char* policy : {"may", "encrypt", "verify"}) {
    office.tls = {.policy = policy, .ca_file = certificates.ca_file()};
    const auto usual = security_of(office);
    const auto with = dane_security(usual, server, "example.test");
    EXPECT_EQ(with->tls, Security::Tls::kMust) << policy;
    EXPECT_EQ(with->client, usual->client) << policy;
    EXPECT_EQ(with->name, "") << "the server's own name is verified";
  }
  EXPECT_NE(dane_security(nullptr, server, "example.test")->client, nullptr);
}

TEST_F(SecurityOf, OurCertificateIsShownByDaneToo) {
  dns::MailServer server{.host = "a.example.test"};
  server.dane = {.rule = dns::Dane::Rule::kVerify, .records = {{3, 1, 1, std::string(32, 'x')}}, .base = "b.example.test"};
  const auto own = certificates.make("mx.example.test");
  office.tls.own = {own.certificate, own.key};
  const auto usual = security_of(office), with = dane_security(usual, server, "example.test");
  EXPECT_EQ(with->own, own);
  std::filesystem::remove(own.key);  // it is being renewed
  const auto without = dane_security(usual, server, "example.test");
  EXPECT_EQ(without->name, server.dane.base) << "it is verified all the same";
  EXPECT_NE(without->client, usual->client);
  EXPECT_NE(with->client, usual->client);
  EXPECT_EQ(with->name, "b.example.test");
}

TEST_F(SecurityOf, ReadsThePassword) {
  office.auth = {"user", certificates.write("password", "secret\n"), false};
  EXPECT_EQ(security_of(office)->user, "user");
  EXPECT_EQ(security_of(office)->password, "secret");
  office.auth.password_file = "/nonexistent/password";
  const auto without = security_of(office);
  EXPECT_EQ(without->password, "");
  EXPECT_NE(without->fault, "");
}

TEST_F(SecurityOf, APoolFitsUntilWhatItWasMadeFromChanges) {
  office.tls.policy = "off";
  const auto bare = pool_options(office, "mx.test");
  EXPECT_TRUE(fits(bare, office, "mx.test"));
  office.tls.policy = "encrypt";
  EXPECT_FALSE(fits(bare, office, "mx.test"));
  office.auth = {"user", certificates.write("password", "secret\n"), false};
  const auto options = pool_options(office, "mx.test");
  EXPECT_TRUE(fits(options, office, "mx.test"));
  certificates.write("password", "other\n");
  EXPECT_FALSE(fits(options, office, "mx.test"));
}

}  // namespace
}  // namespace holdfast::destination
