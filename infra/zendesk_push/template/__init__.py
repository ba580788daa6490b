"""template.yaml as CloudFormation sees it: read, its parameters checked, translated by SAM, its functions evaluated."""
