import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const CLOCK_BAN = [
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: 'Time comes from the Clock port.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time comes from the Clock port.' },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Chance comes from the Random port.',
  },
  {
    selector: "MemberExpression[object.name='performance'][property.name='now']",
    message: 'Time comes from the Clock port.',
  },
  {
    selector: 'CallExpression[callee.name=/^(setTimeout|setInterval|setImmediate)$/]',
    message: 'Timers come from the Clock port.',
  },
  { selector: 'CallExpression[callee.name=/^random(Bytes|UUID|Int)$/]', message: 'Chance comes from the Random port.' },
  {
    selector: 'CallExpression[callee.property.name=/^(randomBytes|randomUUID|randomInt|getRandomValues)$/]',
    message: 'Chance comes from the Random port.',
  },
  { selector: 'TSEnumDeclaration', message: 'Use an `as const` object and a union.' },
];

/** Who may not import whom (ARCHITECTURE.md, "Who may import whom"). */
const forbid = (files, ...patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: patterns.map((regex) => ({ regex })) }] },
});

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.tap/**', '.venv/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
    },
  },
  {
    files: ['{protocol,firmware-bridges,edge,cloud-sync,simulator}/**/*.ts'],
    ignores: ['**/platform/**', '**/main.ts', 'simulator/live/**'],
    rules: { 'no-restricted-syntax': ['error', ...CLOCK_BAN] },
  },
  forbid(
    ['protocol/**/*.ts'],
    '^node:',
    '^@sparc/(?!protocol)',
    '^(?!\\.|@sparc/protocol|@noble/|protobufjs/minimal|@sinclair/typebox)',
  ),
  forbid(['protocol/osdp/**/*.ts'], '^@sparc/', '^(?!\\.\\.?/|@noble/)', '^\\.\\./\\.\\.'),
  forbid(['firmware-bridges/**/*.ts'], '^@sparc/(edge|cloud-sync|simulator)'),
  forbid(['edge/**/*.ts'], '^@sparc/(cloud-sync|simulator)'),
  forbid(['cloud-sync/**/*.ts'], '^@sparc/(edge|firmware-bridges|simulator)'),
  forbid(['simulator/{world,devices,people,mesh}/**/*.ts'], '^node:', '^@sparc/(edge|cloud-sync|firmware-bridges)'),
  forbid(
    ['simulator/live/**/*.ts', 'simulator/cli/**/*.ts', 'simulator/scenarios/**/*.ts'],
    '^@sparc/(edge|cloud-sync|firmware-bridges)',
  ),
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-floating-promises': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        document: 'readonly',
        window: 'readonly',
        fetch: 'readonly',
        EventSource: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        URL: 'readonly',
        location: 'readonly',
        performance: 'readonly',
      },
    },
  },
);
