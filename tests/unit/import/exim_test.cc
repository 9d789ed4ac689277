#include "import/exim.h"

#include <gtest/gtest.h>

#include "files.h"
#include "import/exim_lists.h"
#include "import/exim_text.h"

namespace holdfast::importer {
namespace {

const std::string kTransports = "begin transports\nremote_smtp:\n  driver = smtp\nodd:\n  driver = smtp\n  port = 26\nlmtp:\n  driver = smtp\n  protocol = lmtp\n  port = 2424\npipe:\n  driver = pipe\n";

Found found(const std::string& main, const std::string& routers, std::map<std::string, std::string> files = {}) {
  return import_exim(main + "\nbegin routers\n" + routers + kTransports, "exim.conf", "relay_to_domains", reader_of(std::move(files))).value();
}

Found with_router(const std::string& options, std::map<std::string, std::string> files = {}) {
  return found("domainlist relay_to_domains = a.test", "r:\n" + options, std::move(files));
}

std::vector<std::string> servers(const Found& found) {
  return found.domains.contains("a.test") ? found.domains.at("a.test").target.servers : std::vector<std::string>{};
}

using Servers = std::vector<std::string>;

TEST(EximText, ReadsMacrosConditionsAndLines) {
  const auto file = parse_exim("PORT = 26\nLIST = a.test : \\\n   b.test\n.ifdef PORT\nprimary_hostname = \"mx.test\"\n.else\nprimary_hostname = no\n.endif\n"
                               ".ifndef PORT\nx = 1\n.elifdef LIST\ny = 2\n.elifdef PORT\nz = 3\n.endif\n"
                               "domainlist d = LIST\nno_flag\n# c\nbegin routers\none:\n  driver = accept\n  port = PORT\ntwo: driver = x\n",
                               reader_of({})).value();
  EXPECT_EQ(file.main.at("primary_hostname"), "mx.test");
  EXPECT_EQ(file.main.at("domainlist d"), "a.test :b.test");
  EXPECT_EQ(file.main.at("flag"), "false");
  EXPECT_TRUE(file.main.contains("y") && !file.main.contains("x") && !file.main.contains("z"));
  ASSERT_EQ(file.routers.size(), 2U);
  EXPECT_EQ(*file.routers[0].find("port"), "26");
  EXPECT_EQ(*file.routers[1].find("driver"), "x");
}

TEST(EximText, ALongMacroIsNotAShortOneAndMore) {
  const auto file = parse_exim("A = 1\nAB = 2\nx = AB A\n", reader_of({})).value();
  EXPECT_EQ(file.main.at("x"), "2 1");
}

TEST(EximText, IncludesFiles) {
  const auto file = parse_exim(".include /one\n.include_if_exists /none\n.include /lost\n", reader_of({{"/one", "x = 1\n"}})).value();
  EXPECT_EQ(file.main.at("x"), "1");
  EXPECT_EQ(file.unread.size(), 1U);
  EXPECT_FALSE(parse_exim(".include /one\n", reader_of({{"/one", ".include /one\n"}})));
}

TEST(EximText, SaysWhatIsBroken) {
  for (const char* text : {".ifdef A\n", ".endif\n", ".else\n", "begin routers\n  driver = x\n"}) EXPECT_FALSE(parse_exim(text, reader_of({}))) << text;
}

TEST(EximText, KnowsLists) {
  EXPECT_EQ(exim_list("a : b::c :"), (Servers{"a", "b:c"}));
  EXPECT_EQ(exim_list("<; a:1 ; b"), (Servers{"a:1", "b"}));
}

TEST(EximLists, SayYesNoOrUnsure) {
  const EximOptions main{{"domainlist here", "a.test : +more"}, {"domainlist more", "*.b.test : ! c.test : lsearch;/f"}};
  const auto read = reader_of({{"/f", "d.test: x\n"}});
  const EximLists lists(main, read);
  EXPECT_EQ(lists.has("+here", "a.test"), true);
  EXPECT_EQ(lists.has("+here", "x.b.test"), true);
  EXPECT_EQ(lists.has("+here", "c.test"), false);
  EXPECT_EQ(lists.has("+here", "d.test"), true);
  EXPECT_EQ(lists.has("+here", "e.test"), false);
  EXPECT_EQ(lists.has("! +here", "e.test"), true);
  for (const char* list : {"@mx_any", "^x", "${lookup}", "+none", "lsearch;/none", "dsearch;/d"}) {
    EXPECT_EQ(lists.has(list, "a.test"), std::nullopt) << list;
  }
}

TEST(EximLists, KnowDebiansForms) {
  const EximOptions main{{"primary_hostname", "mx.test"}, {"domainlist local_domains", "@ : localhost"}};
  const auto read = reader_of({{"/f", "a.test x\n*.b.test y\n"}});
  const EximLists lists(main, read);
  EXPECT_EQ(lists.has("! +local_domains", "a.test"), true);
  EXPECT_EQ(lists.has("! +local_domains", "mx.test"), false);
  const std::string debians = "${if exists{/f}{partial-lsearch;/f}fail}";
  EXPECT_EQ(lists.has(debians, "a.test"), true);
  EXPECT_EQ(lists.has(debians, "c.test"), false);
  EXPECT_EQ(lists.has(debians, "x.b.test"), std::nullopt);
  EXPECT_EQ(lists.has("${if exists{/none}{partial-lsearch;/none}fail}", "a.test"), false);
}

TEST(ImportExim, TakesManualRoutes) {
  EXPECT_EQ(servers(with_router("driver = manualroute\ntransport = remote_smtp\nroute_list = * mail.b.test\n")), Servers{"mail.b.test:25"});
  EXPECT_EQ(servers(with_router("driver = manualroute\ndomains = +relay_to_domains\ntransport = odd\nroute_list = x.test h ; a.test \"m1.b.test:m2.b.test::27\" byname\n")),
            (Servers{"m1.b.test:26", "m2.b.test:27"}));
  EXPECT_EQ(servers(with_router("driver = manualroute\ntransport = remote_smtp\nroute_data = 10.0.0.5\n")), Servers{"10.0.0.5:25"});
  const auto looked_up = with_router("driver = manualroute\ntransport = lmtp\nroute_data = ${lookup{$domain}lsearch{/hubbed}}\n", {{"/hubbed", "a.test: 10.0.0.7 byname\n"}});
  EXPECT_EQ(servers(looked_up), Servers{"10.0.0.7:2424"});
  EXPECT_TRUE(looked_up.domains.at("a.test").target.lmtp);
}

TEST(ImportExim, TakesItsMx) {
  EXPECT_TRUE(with_router("driver = dnslookup\ntransport = odd\nsame_domain_copy_routing = yes\n").domains.at("a.test").target.mx);
  EXPECT_EQ(with_router("driver = dnslookup\ntransport = odd\n").domains.at("a.test").target.mx_port, 26);
  EXPECT_TRUE(with_router("driver = manualroute\ntransport = remote_smtp\nroute_list = * a.test/MX\n").domains.at("a.test").target.mx);
}

TEST(ImportExim, TheFirstRouterForSureHasIt) {
  const auto out = found("domainlist relay_to_domains = a.test",
                         "local:\n  driver = accept\n  domains = x.test\nvrfy:\n  driver = redirect\n  verify_only\nmaybe:\n  driver = redirect\n  senders = x@y.test\n"
                         "declines:\n  driver = manualroute\n  transport = remote_smtp\n  route_list = b.test h.test\n"
                         "takes:\n  driver = manualroute\n  transport = remote_smtp\n  route_list = a.test h.test\n");
  EXPECT_EQ(servers(out), Servers{"h.test:25"});
  EXPECT_TRUE(left(out, "router maybe: may take some of their mail; it has conditions that are not looked into (senders)"));
  EXPECT_FALSE(left(out, "local") || left(out, "vrfy"));
}

TEST(ImportExim, LeavesWhatItCannotKnow) {
  for (const char* options : {"driver = manualroute\nroute_list = * h.test\n", "driver = manualroute\ntransport = pipe\nroute_list = * h.test\n",
                              "driver = manualroute\ntransport = remote_smtp\nroute_list = * $domain.b.test\n",
                              "driver = manualroute\ntransport = remote_smtp\nroute_list = * b.test/MX\n",
                              "driver = manualroute\ntransport = remote_smtp\nroute_list = * h.test odd_words\n",
                              "driver = manualroute\ntransport = remote_smtp\nroute_data = ${lookup mysql{x}}\n",
                              "driver = manualroute\ntransport = remote_smtp\n", "driver = redirect\n",
                              "driver = dnslookup\ntransport = lmtp\n", "driver = manualroute\ntransport = none\nroute_list = * h.test\n"}) {
    const auto out = with_router(options);
    EXPECT_TRUE(out.domains.empty()) << options;
    EXPECT_TRUE(left(out, "a.test: router r: ")) << options;
  }
  EXPECT_TRUE(left(with_router("driver = manualroute\ncondition = x\ntransport = remote_smtp\nroute_list = * h.test\n"), "a.test: no router takes its mail for sure"));
}

TEST(ImportExim, TakesSettingsAndLeavesPatterns) {
  const auto out = found("primary_hostname = mx.a.test\nmessage_size_limit = 50M\ntls_certificate = /c.pem\ntls_privatekey = ${x}\n"
                         "domainlist relay_to_domains = a.test : *.b.test : @mx_any : +none : lsearch;/f",
                         "r:\n  driver = dnslookup\n  transport = remote_smtp\n", {{"/f", "c.test x\n"}});
  EXPECT_EQ(out.domains.size(), 2U);
  EXPECT_EQ(setting(out, "hostname"), "mx.a.test");
  EXPECT_EQ(setting(out, "smtpd.message_size_limit"), "50MiB");
  EXPECT_EQ(setting(out, "tls.key"), "/c.pem");
  EXPECT_TRUE(left(out, "*.b.test") && left(out, "@mx_any") && left(out, "+none") && left(out, "tls_privatekey = ${x}"));
}

TEST(ImportExim, NamesTheListsThereAre) {
  const auto out = import_exim("domainlist mine = a.test\n", "f", "relay_to_domains", reader_of({}));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().text, "f: no 'domainlist relay_to_domains' in it: say with --domains which one is relayed; there are mine");
}

}  // namespace
}  // namespace holdfast::importer
