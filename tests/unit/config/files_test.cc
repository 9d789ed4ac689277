// What lies beside the main file.
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

#include "common/config/load.h"
#include "common/config/show.h"
#include "tests/unit/config/texts.h"
#include "tests/unit/in_folder.h"

namespace holdfast::config {
namespace {

namespace fs = std::filesystem;

class Files : public test::InFolder {
 protected:
  void SetUp() override { put("gateway.yaml", kMinimal); }

  void put(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
  }
  std::string path(const std::string& name = "gateway.yaml") const { return root_ + "/" + name; }
};

TEST_F(Files, ConfDReplacesAndDomainsDAdds) {
  put("conf.d/20-more.yaml", "debug: true\nsmtpd: {max_recipients: 300}\n");
  put("conf.d/10-less.yaml", "debug: false\nsmtpd: {max_recipients: 200, workers: 2}\n");
  put("domains.d/other.test.yaml", "destination: office\nlocal_recipients: [info]\n");
  const auto c = load(path());
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_TRUE(c->debug);
  EXPECT_EQ(c->smtpd.max_recipients, 300);
  EXPECT_EQ(c->smtpd.workers, 2);
  EXPECT_TRUE(c->is_local_recipient("info@other.test"));
}

TEST_F(Files, ADomainMayBeDescribedOnce) {
  put("domains.d/example.test.yaml", "destination: office\n");
  const auto c = load(path());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().text, path("domains.d/example.test.yaml") + ":1: duplicate domain 'example.test': it is described in " +
                                path() + ":5 already");
}

TEST_F(Files, AFaultNamesItsOwnFile) {
  put("conf.d/a.yaml", "\nhostnam: x\n");
  put("domains.d/b.test.yaml", "destinatoin: office\n");
  const auto c = load(path());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().text,
            path("conf.d/a.yaml") + ":2: unknown setting 'hostnam' (did you mean 'hostname'?)\n" +
                path("domains.d/b.test.yaml") + ":1: unknown setting 'domains.b.test.destinatoin' (did you mean 'destination'?)\n" +
                path("domains.d/b.test.yaml") + ":1: domains.b.test lacks 'destination'");
}

TEST_F(Files, OtherNamesAreWarnedOf) {
  put("conf.d/old.yml", "nonsense");
  put("conf.d/.hidden.yaml", "nonsense");
  const auto c = load(path());
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_EQ(c->warnings, (std::vector<std::string>{path("conf.d/old.yml") + ": not read: its name does not end in .yaml"}));
}

TEST_F(Files, RecipientsMayComeFromAFile) {
  put("people", "# our people\nsales\n  Info@example.test  # the desk\n\n\nboss\r\n");
  put("gateway.yaml", "hostname: a.b\ndestinations: {o: {servers: [h]}}\n"
                      "domains: {example.test: {destination: o, local_recipients: people}}\n");
  const auto c = load(path());
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_EQ(c->domains.at("example.test").local_recipients,
            (std::vector<std::string>{"boss@example.test", "info@example.test", "sales@example.test"}));
  EXPECT_EQ(c->domains.at("example.test").local_recipients_file, path("people"));
}

TEST_F(Files, AFaultInAFileOfRecipientsHasItsLine) {
  put("people", "sales\nx@elsewhere.test\n");
  put("gateway.yaml", "hostname: a.b\ndestinations: {o: {servers: [h]}}\n"
                      "domains: {example.test: {destination: o, local_recipients: people}}\n");
  const auto c = load(path());
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().text,
            path("people") + ":2: domains.example.test.local_recipients: 'x@elsewhere.test' is not in example.test");
}

TEST_F(Files, ListsOfTheContentFilterMayComeFromFiles) {
  put("hosts.txt", "evil.test  # since May\n\n*.bad.test\nb\xc3\xbc" "cher.example\n");
  put("gateway.yaml", kMinimal + "content_filter: {urls: {blocked: hosts.txt, action: header}, names: {blocked: ['*.exe']}}\n");
  const auto c = load(path());
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_EQ(c->content_filter.urls.blocked, (std::vector<std::string>{"evil.test", "*.bad.test", "b\xc3\xbc" "cher.example"}));
  EXPECT_EQ(c->content_filter.urls.action, "header");
  EXPECT_EQ(c->content_filter.names.blocked, std::vector<std::string>{"*.exe"});
  // What master writes for the daemons has them within.
  const auto again = load_text(show(*c, Style::kSelfContained), "running.yaml");
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->content_filter.urls.blocked, c->content_filter.urls.blocked);
}

TEST_F(Files, AFaultInAListOfTheContentFilterHasItsLine) {
  put("hosts.txt", "evil.test\nno host\n");
  put("gateway.yaml", kMinimal + "content_filter: {urls: {blocked: hosts.txt}, names: {blocked: [a/b]}}\n");
  const auto c = load(path());
  ASSERT_FALSE(c);
  EXPECT_NE(c.error().text.find("hosts.txt:2: content_filter.urls.blocked: 'no host'"), std::string::npos) << c.error().text;
  EXPECT_NE(c.error().text.find("content_filter.names.blocked: 'a/b' must be"), std::string::npos) << c.error().text;
}

TEST_F(Files, AFileMayBeReadAlone) {
  put("domains.d/example.test.yaml", "destination: office\n");
  EXPECT_FALSE(load(path()));
  const auto c = load_alone(path());
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_EQ(c->domains.size(), 1U);
}

TEST_F(Files, AMissingFileIsAConfigError) {
  const auto c = load(path("gone.yaml"));
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().kind, base::Kind::kConfig);
  EXPECT_EQ(c.error().text, path("gone.yaml") + ": No such file or directory");
}

}  // namespace
}  // namespace holdfast::config
