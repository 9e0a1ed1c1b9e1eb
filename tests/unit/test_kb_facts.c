/* What an article says besides its tables: required levels, 'first corrected in', its number and products. */

#include "kb_expect.h"

static void expect_requirement(const char *sentence, const char *product, const char *levels, bool or_later)
{
    CLEARED struct kb_document document = read_text(sentence);
    if (product == NULL) {
        assert_int_equal(document.requirement_count, 0);
        return;
    }
    assert_true(document.requirement_count >= 1);
    assert_string_equal(document.requirements[0].product, product);
    assert_string_equal(document.requirements[0].levels, levels);
    assert_int_equal(document.requirements[0].or_later, or_later);
}

static void requirements_name_product_and_levels(void **state)
{
    (void)state;
    expect_requirement("Know that this hotfix requires Microsoft Windows NT 4.0 Service Pack 6a (SP6a).",
                       "Windows NT 4.0", "SP6a", false);
    expect_requirement("The patch requires Windows NT 4.0 Service Pack 4, Service\nPack 5, or Service Pack 6a.",
                       "Windows NT 4.0", "SP4;SP5;SP6a", false);
    expect_requirement("This update requires Windows 2000 SP2 or SP1 or later.", "Windows 2000", "SP1;SP2", true);
    expect_requirement(
        "The patch can be installed on systems running Windows 2000 Gold or Windows 2000 Service Pack 1.",
        "Windows 2000", "RTM;SP1", false);
    expect_requirement("First of all, you must apply SMS 2.0 SP1 before you install this bundle.",
                       "Systems Management Server 2.0", "SP1", false);
    expect_requirement("You must apply SP2 for SMS 2.0 before this bundle.", "Systems Management Server 2.0", "SP2",
                       false);
    expect_requirement("PrerequisitesWindows 2000 Service Pack 3 is required to install this hotfix.Restart",
                       "Windows 2000", "SP3", false);
    expect_requirement("This fix requires Windows NT Server version 4.0, Terminal Server Edition Service Pack 6.",
                       "Windows NT Server 4.0, Terminal Server Edition", "SP6", false);
    expect_requirement("This fix requires Windows NT 4.0 Service Pack 6a, Terminal Server Edition.",
                       "Windows NT Server 4.0, Terminal Server Edition", "SP6a", false);
    expect_requirement("This patch requires Exchange Server 5.5 Service Pack 4.", "Exchange Server 5.5", "SP4", false);
}

static void sentences_about_levels_that_require_nothing_are_passed_over(void **state)
{
    (void)state;
    expect_requirement("After you install Windows NT 4.0 Service Pack 4 the hotfix is gone.", NULL, NULL, false);
    expect_requirement("This hotfix requires a restart, even of a Service Pack 6a-based computer.", NULL, NULL, false);
    expect_requirement("The post-Service Pack 6a update requires nothing.", NULL, NULL, false);
    expect_requirement("The service requires Windows NT 4.0 Service Pack 4.", NULL, NULL, false);
}

static void a_requirement_without_product_is_told(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text("one\nFor this hotfix you must have SP6a.\n");
    assert_int_equal(document.requirement_count, 1);
    assert_string_equal(document.requirements[0].product, "");
    expect_problem(&document, 2, "does not say of which product");
}

static void one_sentence_may_require_levels_of_two_products(void **state)
{
    (void)state;
    CLEARED struct kb_document document =
        read_text("This hotfix requires Microsoft Windows NT 4.0 Service Pack 6a or Windows 2000 Service Pack 2.");
    assert_int_equal(document.requirement_count, 2);
    assert_string_equal(document.requirements[0].levels, "SP6a");
    assert_string_equal(document.requirements[1].product, "Windows 2000");
    assert_string_equal(document.requirements[1].levels, "SP2");
}

static void first_corrected_needs_a_product_of_its_own(void **state)
{
    (void)state;
    CLEARED struct kb_document document = read_text(
        "It was first corrected in Windows NT 4.0 and Windows NT Server 4.0,\nTerminal Server Edition, Service Pack "
        "4.0.\n"
        "It was first corrected in the Systems Management Server 2.0 Service Pack 4 Hotfix Rollup Package (HRP).\n"
        "It was first corrected in Windows NT Server 4.0 Service Pack 6.\nIt was first corrected in spring.");
    assert_int_equal(document.first_corrected_count, 3);
    assert_string_equal(document.first_corrected[0].product, "Windows NT Server 4.0, Terminal Server Edition");
    assert_string_equal(document.first_corrected[0].service_pack, "SP4");
    assert_string_equal(document.first_corrected[1].product, "Systems Management Server 2.0");
    assert_string_equal(document.first_corrected[1].service_pack, "SP4 HRP");
    assert_int_equal(document.first_corrected[1].line, 3);
    assert_string_equal(document.first_corrected[2].product, "Windows NT 4.0");
}

static void the_article_says_its_number_and_products(void **state)
{
    (void)state;
    CLEARED struct kb_document old =
        read_text("DOCUMENT:Q123456  1-JAN-2000\n\nThe information in this article applies to:\n\n"
                  " - Microsoft Harbour version 2.0 \n - Pier 1.0\n------\n\nText\n");
    assert_string_equal(old.article, "Q123456");
    assert_int_equal(old.number, 123456);
    assert_int_equal(old.product_count, 2);
    assert_string_equal(old.products[0], "Harbour version 2.0");
    CLEARED struct kb_document titled = read_bytes("Ships sink (281499)\n", 20, "");
    assert_int_equal(titled.number, 281499);
    CLEARED struct kb_document named = read_bytes("Ships\n", 6, "some/folder1234567/KB973999.txt");
    assert_int_equal(named.number, 973999);
    CLEARED struct kb_document unknown = read_bytes("Ships\n", 6, "ships.txt");
    assert_string_equal(unknown.article, "");
    expect_problem(&unknown, 1, "no article number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requirements_name_product_and_levels),
        cmocka_unit_test(sentences_about_levels_that_require_nothing_are_passed_over),
        cmocka_unit_test(a_requirement_without_product_is_told),
        cmocka_unit_test(one_sentence_may_require_levels_of_two_products),
        cmocka_unit_test(first_corrected_needs_a_product_of_its_own),
        cmocka_unit_test(the_article_says_its_number_and_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
