#include <gtest/gtest.h>

#include "ldap/search.h"

namespace holdfast::ldap {
namespace {

TEST(LdapAddress, IsTakenFromWhatDirectoriesHold) {
  EXPECT_EQ(address_in("Ada@Example.org"), "ada@example.org");
  EXPECT_EQ(address_in("SMTP:ada@example.org"), "ada@example.org");
  EXPECT_EQ(address_in("smtp:a@example.org "), "a@example.org");
}

TEST(LdapAddress, OtherValuesAreNone) {
  for (const auto* value : {"", "ada", "ada@", "X500:/o=Example/cn=ada", "sip:ada@example.org", "x400:c=DE", "a b@example.org", "smtp:"}) {
    EXPECT_EQ(address_in(value), "") << value;
  }
}

TEST(LdapSearch, AServerThatIsNotThereIsUnavailable) {
  const auto out = search({.uri = "ldap://127.0.0.1:1", .base = "dc=x", .timeout_seconds = 2}, [](const std::string&) {});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, base::Kind::kUnavailable);
  EXPECT_FALSE(search({.uri = "nonsense", .base = "dc=x"}, [](const std::string&) {}));
}

}  // namespace
}  // namespace holdfast::ldap
