#include "common/config/copies.h"

#include <gtest/gtest.h>

#include "common/config/show.h"
#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

// example.test and same.test go to `office`; branch.test does not, and there are two that go by MX.
std::string with(const std::string& copies, const std::string& more = "") {
  return "hostname: mx.example.test\n"
         "destinations: {office: {servers: [\"192.0.2.1:25\"]}, branch: {servers: [\"192.0.2.2:25\"]}, backup: {mx: true}}\n"
         "domains: {example.test: {destination: office}, same.test: {destination: office}, branch.test: {destination: branch},\n"
         "  one.test: {destination: backup, local_recipients: [a]}, two.test: {destination: backup, local_recipients: [a]}}\n" +
         more + "while_down: {copy: {" + copies + "}}\n";
}

TEST(Copies, AreReadAndShown) {
  const Config c = good(with("CEO@Example.TEST: Boss+x@elsewhere.test, a@same.test: b@branch.test, a@one.test: b@two.test"));
  const std::map<std::string, std::string, std::less<>> wanted{
      {"ceo@example.test", "Boss+x@elsewhere.test"}, {"a@same.test", "b@branch.test"}, {"a@one.test", "b@two.test"}};
  EXPECT_EQ(c.copies, wanted);
  for (const auto style : {Style::kAll, Style::kChanged, Style::kSelfContained}) EXPECT_EQ(good(show(c, style)).copies, wanted);
  EXPECT_EQ(good(with("a@same.test: \"Boss@b\xC3\xBC" "cher.test\"")).copies.at("a@same.test"), "Boss@xn--bcher-kva.test");
  EXPECT_TRUE(good(with("")).copies.empty());
}

TEST(Copies, WhatCouldNotHelpOrCouldLoopIsAFault) {
  const auto told = [](const std::string& copies, const std::string& words, const std::string& more = "") {
    const auto faults = faults_of(with(copies, more));
    EXPECT_NE(faults.find("while_down.copy: " + words), std::string::npos) << copies << ": " << faults;
  };
  told("ceo: a@b.test", "'ceo' is no address: it has no domain");
  told("ceo@example.test: boss", "'boss' is no address");
  told("ceo@example.test: \"\"", "'' is no address");
  told("ceo@example.test: \"a@[192.0.2.1]\"", "'a@[192.0.2.1]' is no address");
  told("\"a b@example.test\": a@b.test", "'a b@example.test' is no address: it has a ' ' in it");
  told("ceo@elsewhere.test: a@b.test", "'ceo@elsewhere.test' is in no domain of ours");
  told("ceo@example.test: ceo@example.test", "'ceo@example.test' goes down together");
  told("ceo@example.test: b@same.test", "'b@same.test' goes down together with 'ceo@example.test'");
  told("a@one.test: b@one.test", "'b@one.test' goes down together");
  told("a@example.test: B@branch.test, b@branch.test: c@b.test", "'b@branch.test' gets copies and is copied himself");
  told("a@example.test: b+x@branch.test, b@branch.test: c@b.test", "'b@branch.test' gets copies", "recipient_delimiter: \"+\"\n");
  told("a+x@example.test: c@b.test", "'a+x@example.test' has an extension", "recipient_delimiter: \"+\"\n");
  told("a@example.test: c@b.test, A@example.test: d@b.test", "'A@example.test' is there twice");
  told("a@example.test: \"b\xC3\xBC@b.test\"", "'b\\xC3\\xBC@b.test' takes messages with SMTPUTF8 only");
  told("a@example.test: [c@b.test]", "'a@example.test' must be one address");
}

}  // namespace
}  // namespace holdfast::config
