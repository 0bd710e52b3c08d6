// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <openssl/pem.h>

#include "cli_run.h"
#include "snp_build.h"
#include "test_key.h"
#include "ksft.h"

char cli_program[4096];

void cli_init(void)
{
	ssize_t size = readlink("/proc/self/exe", cli_program, sizeof(cli_program) - 16);

	ASSERT_GT(size, 0);
	strcpy(strrchr(cli_program, '/'), "/gmemctl");
	if (access(cli_program, X_OK))
		SKIP(ksft_abort(), "%s is not built", cli_program);
	ASSERT_FALSE(chdir(ksft_folder()));
}

static int run(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_snp(const char *format, va_list args)
{
	char arguments[2048], command[8192];

	vsnprintf(arguments, sizeof(arguments), format, args);
	snprintf(command, sizeof(command), "'%s' snp %s >out 2>&1", cli_program, arguments);
	return run(command);
}

int cli_run(const char *format, ...)
{
	va_list args;
	int code;

	va_start(args, format);
	code = run_snp(format, args);
	va_end(args);
	return code;
}

bool cli_did(int code, const char *says, const char *format, ...)
{
	va_list args;
	int got;

	va_start(args, format);
	got = run_snp(format, args);
	va_end(args);
	if (got != code)
		printf("# exit code %d, expected %d\n", got, code);
	return cli_says(says) && got == code;
}

int cli_shell(const char *format, ...)
{
	char command[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return run(command);
}

void cli_write(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(name, "wb");

	ASSERT_TRUE(file);
	EXPECT_EQ(fwrite(data, 1, size, file), size);
	fclose(file);
}

void cli_write_firmware(void)
{
	uint8_t data[BUILD_SIZE];

	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0);
	cli_write("fw", data, sizeof(data));
}

void cli_write_key(void)
{
	EVP_PKEY *key = test_key(TEST_ID_KEY);
	FILE *file = fopen("key.pem", "wb");

	ASSERT_TRUE(file);
	EXPECT_EQ(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	EVP_PKEY_free(key);
}

const char *cli_get(const char *object, const char *key, char *value, size_t size)
{
	struct json_object *root = json_object_from_file("out"), *child = root, *member;

	*value = '\0';
	if (root && (!object || json_object_object_get_ex(root, object, &child)) &&
	    json_object_object_get_ex(child, key, &member))
		snprintf(value, size, "%s", json_object_get_string(member));
	json_object_put(root);
	return value;
}

bool cli_has(const char *object, const char *key, const char *value)
{
	char found[4096];

	return !strcmp(cli_get(object, key, found, sizeof(found)), value);
}

bool cli_says(const char *text)
{
	FILE *file = fopen("out", "r");
	bool says = false;
	char *said = NULL;
	size_t size = 0;

	if (!file)
		return false;
	if (getdelim(&said, &size, '\0', file) > 0)
		says = strstr(said, text);
	if (!says)
		printf("# not '%s': %s\n", text, said ? said : "");
	free(said);
	fclose(file);
	return says;
}
