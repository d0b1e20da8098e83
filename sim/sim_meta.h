/* Where credentials come from without a signature, as an AWS has it: instance metadata (version 2), the credential
 * endpoints of ECS tasks and EKS pods, the SSO portal and its OIDC tokens. All on the simulator's one port:
 *   AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:PORT
 *   AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:PORT/v1/credentials (EKS) or .../v2/credentials/sluice (ECS),
 *   with AWS_CONTAINER_AUTHORIZATION_TOKEN=SIM_CONTAINER_TOKEN
 *   AWS_ENDPOINT_URL_SSO and AWS_ENDPOINT_URL_SSO_OIDC, with the tokens below in ~/.aws/sso/cache. */
#ifndef SIM_SIM_META_H
#define SIM_SIM_META_H

#define SIM_CONTAINER_TOKEN "sim-container-token"
#define SIM_ACCESS_TOKEN "sim-access-token"   /* of an SSO session; those that CreateToken gave are taken too */
#define SIM_REFRESH_TOKEN "sim-refresh-token"
#define SIM_CLIENT_ID "sim-client"
#define SIM_CLIENT_SECRET "sim-client-secret"

#endif
