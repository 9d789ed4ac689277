#include "import/postfix.h"

#include <gtest/gtest.h>

#include "files.h"
#include "import/postfix_map.h"
#include "import/postfix_route.h"

namespace holdfast::importer {
namespace {

Found found(const std::string& main_cf, std::map<std::string, std::string> files = {}) {
  return import_postfix(main_cf, "main.cf", reader_of(std::move(files))).value();
}

base::Result<Route> transport(std::string_view text) { return parse_transport(text, "a.test", "relay", "[smart.test]:587"); }

std::vector<std::string> servers(std::string_view text) { return transport(text).value().target.servers; }

TEST(PostfixRoute, KnowsTheFormsOfTransport5) {
  using Servers = std::vector<std::string>;
  EXPECT_EQ(servers("smtp:[10.0.0.5]"), Servers{"10.0.0.5:25"});
  EXPECT_EQ(servers("relay:[Mail.B.test]:2525"), Servers{"mail.b.test:2525"});
  EXPECT_EQ(servers("smtp:[ipv6:2001:db8::1]"), Servers{"[2001:db8::1]:25"});
  EXPECT_EQ(servers("smtp:[a.b.test], [c.b.test]:26"), (Servers{"a.b.test:25", "c.b.test:26"}));
  EXPECT_EQ(servers(":[b.test]"), Servers{"b.test:25"});
  EXPECT_EQ(servers(":"), Servers{"smart.test:587"});
  EXPECT_EQ(servers("lmtp:inet:10.0.0.5:2424"), Servers{"10.0.0.5:2424"});
  EXPECT_TRUE(transport("lmtp:[10.0.0.5]").value().target.lmtp);
}

TEST(PostfixRoute, ADomainsOwnNameIsItsMx) {
  EXPECT_TRUE(transport("smtp:").value().target.mx);
  EXPECT_TRUE(transport("smtp:a.test").value().target.mx);
  EXPECT_EQ(transport("smtp:a.test:26").value().target.mx_port, 26);
  EXPECT_FALSE(transport("smtp:[a.test]").value().target.mx);
}

TEST(PostfixRoute, AskesForACheckWhereDnsHasAWord) {
  EXPECT_EQ(transport("smtp:b.test").value().checks.size(), 1U);
  EXPECT_TRUE(transport("smtp:[b.test]").value().checks.empty());
}

TEST(PostfixRoute, RefusesWhatHoldfastCannotDo) {
  for (const char* text : {"error:no such domain", "discard:", "slow:[10.0.0.5]", "lmtp:unix:private/dovecot-lmtp", "lmtp:",
                           "smtp:[10.0.0.5", "smtp:[10.0.0.5]:99999", "smtp:[10.0.0.5]x", "smtp:[b@d]", "smtp:a.test, [b.test]"}) {
    const auto route = transport(text);
    ASSERT_FALSE(route) << text;
    EXPECT_EQ(route.error().kind, base::Kind::kData) << text;
  }
}

TEST(PostfixRoute, LooksUpAsTransport5Says) {
  Routes routes("relay", "");
  routes.add({.entries = {{".test", "smtp:[any.b]"}, {"*", "smtp:[rest.b]"}}});
  routes.add({.entries = {{"a.test", "smtp:[one.b]"}}});
  EXPECT_EQ(routes.of("a.test")->target.servers.front(), "one.b:25");
  EXPECT_EQ(routes.of("x.y.test")->target.servers.front(), "any.b:25");
  EXPECT_EQ(routes.of("a.other")->target.servers.front(), "rest.b:25");
  EXPECT_TRUE(Routes("relay", "").of("a.test")->target.mx);
  EXPECT_EQ(Routes("relay:[r.b]", "[s.b]").of("a.test")->target.servers.front(), "r.b:25");
}

TEST(PostfixMap, ReadsTables) {
  const auto read = reader_of({{"/t", "# c\nKey  a value\n  goes on\nlone\n"}, {"/bad", "  x\n"}});
  const auto map = read_postfix_map("hash:/t", read).value();
  EXPECT_EQ(*map.find("key"), "a value goes on");
  EXPECT_EQ(*map.find("lone"), "");
  EXPECT_EQ(map.find("other"), nullptr);
  EXPECT_EQ(*read_postfix_map("inline:{a=b, {c = d e}}", read)->find("c"), "d e");
  EXPECT_EQ(*read_postfix_map("proxy:static:yes", read)->find("anything"), "yes");
  EXPECT_EQ(read_postfix_map("hash:/none", read).error().kind, base::Kind::kNotFound);
  EXPECT_NE(read_postfix_map("hash:/none", read).error().text.find("its text is needed"), std::string::npos);
  for (const char* table : {"regexp:/t", "pcre:/t", "ldap:/t", "hash:/bad", "inline:a=b", "inline:{a}", "tcp:h:1"}) {
    EXPECT_EQ(read_postfix_map(table, read).error().kind, base::Kind::kData) << table;
  }
}

TEST(ImportPostfix, TakesDomainsOfEveryForm) {
  const auto out = found("relay_domains = a.test B.test, hash:/d /words, !no.test, .sub.test, pcre:/p, a.test\n",
                         {{"/d", "c.test OK\n"}, {"/words", "# x\nd.test e.test\n"}});
  std::vector<std::string> names;
  for (const auto& [name, domain] : out.domains) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"a.test", "b.test", "c.test", "d.test", "e.test"}));
  EXPECT_TRUE(left(out, "!no.test") && left(out, ".sub.test") && left(out, "pcre:/p"));
  EXPECT_EQ(out.checks.size(), 1U);  // names below them
  EXPECT_TRUE(found("relay_domains = a.test\nparent_domain_matches_subdomains =\n").checks.empty());
}

TEST(ImportPostfix, LeavesWhatIsDeliveredThere) {
  const auto out = found("myhostname = mx.test\nrelay_domains = $mydestination, a.test\n");
  EXPECT_EQ(out.domains.size(), 1U);
  EXPECT_TRUE(left(out, "mx.test: Postfix delivers it"));
}

TEST(ImportPostfix, TakesSettings) {
  const auto out = found(
      "myhostname = mx.a.test\nmessage_size_limit = 10485760\nrecipient_delimiter = +-\nsmtp_tls_security_level = encrypt\n"
      "smtpd_tls_cert_file = /c.pem\ninet_interfaces = 10.0.0.1, ::1\nrelay_domains = a.test\nsmtpd_milters = inet:h:1\n");
  EXPECT_EQ(setting(out, "hostname"), "mx.a.test");
  EXPECT_EQ(setting(out, "smtpd.message_size_limit"), "10MiB");
  EXPECT_EQ(setting(out, "recipient_delimiter"), "\"+\"");
  EXPECT_EQ(setting(out, "tls.certificate"), "/c.pem");
  EXPECT_EQ(setting(out, "tls.key"), "/c.pem");
  EXPECT_EQ(setting(out, "listen"), "[\"10.0.0.1:25\", \"[::1]:25\"]");
  ASSERT_EQ(out.of_servers.size(), 1U);
  EXPECT_EQ(out.of_servers.front().second, "encrypt");
  EXPECT_TRUE(left(out, "not looked at: smtpd_milters"));
}

TEST(ImportPostfix, TakesRecipients) {
  const auto out = found("relay_domains = a.test b.test\nrelay_recipient_maps = hash:/r ldap:/l\n",
                         {{"/r", "z@a.test x\nc@A.test x\nz@a.test x\n@b.test x\nx@other.test x\nbare x\n"}});
  EXPECT_EQ(out.domains.at("a.test").recipients, (std::vector<std::string>{"c", "z"}));
  EXPECT_TRUE(out.domains.at("b.test").any_recipient);
  EXPECT_TRUE(left(out, "1 recipients of domains that are not above") && left(out, "1 recipients without a domain") && left(out, "ldap:/l"));
}

TEST(ImportPostfix, SaysWhatItCannotKnow) {
  const auto out = found("relay_domains = a.test b.test\ntransport_maps = pcre:/p hash:/t\n",
                         {{"/t", "b.test slow:\nc.test smtp:\nx@a.test smtp:[h.test]\n"}});
  EXPECT_TRUE(out.domains.contains("a.test"));
  EXPECT_FALSE(out.domains.contains("b.test"));
  EXPECT_NE(out.domains.at("a.test").checks.front().find("pcre:/p"), std::string::npos);
  EXPECT_TRUE(left(out, "b.test: goes by the transport 'slow'") && left(out, "x@a.test: a way of its own") && left(out, "1 entries"));
  EXPECT_TRUE(left(found("myhostname = a.test\n"), "relays no domain"));
  EXPECT_FALSE(import_postfix("\n# nothing\n", "f", reader_of({})));
}

}  // namespace
}  // namespace holdfast::importer
